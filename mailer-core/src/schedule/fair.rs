//! Which stream is served next: by lane, then by fair share.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use crate::domain::{Address, Lane, RelayName};
use crate::gate::Binding;
use crate::queue::StreamId;
use crate::schedule::term::SERVICE_UNIT;

/// The fair order of all streams: who has been served least for its weight comes next (start-time fair queueing).
///
/// Streams of one lane, relay and sender stand together in a group, so that a closed group is passed over in one step,
/// however many streams it has.
#[derive(Debug, Clone, Default)]
pub(crate) struct FairOrder {
    lanes: [LaneOrder; 3],
    asleep: BTreeSet<(DateTime<Utc>, StreamId)>,
    places: HashMap<StreamId, Place>,
}

#[derive(Debug, Clone, Default)]
struct LaneOrder {
    groups: BTreeMap<Group, BTreeSet<(u64, StreamId)>>,
    /// The service of who was served last: newcomers start here, not at nought.
    served: u64,
}

/// What streams of one group have in common: the scopes that can close it.
pub(crate) type Group = (RelayName, Address);

#[derive(Debug, Clone)]
struct Place {
    lane: Lane,
    group: Group,
    weight: u64,
    service: u64,
    stand: Stand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// Nothing of it is due, at no known instant.
    Out,
    /// Something of it is due then.
    Asleep(DateTime<Utc>),
    /// Something of it is due.
    Ready,
}

impl FairOrder {
    /// Takes in a stream. It stands nowhere until [`due`](Self::due) is said.
    pub(crate) fn add(&mut self, id: StreamId, binding: &Binding, weight: u32) {
        self.places.entry(id).or_insert_with(|| Place {
            lane: binding.lane,
            group: (binding.relay.clone(), binding.sender.clone()),
            weight: u64::from(weight.max(1)),
            service: 0,
            stand: Stand::Out,
        });
    }

    /// Forgets a stream.
    pub(crate) fn remove(&mut self, id: &StreamId) {
        self.take_out(id);
        self.places.remove(id);
    }

    /// Says when something of the stream is due. `None`: at no known instant.
    pub(crate) fn due(&mut self, id: &StreamId, due: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let stand = match due {
            None => Stand::Out,
            Some(due) if due > now => Stand::Asleep(due),
            Some(_) => Stand::Ready,
        };
        if self
            .places
            .get(id)
            .is_some_and(|place| place.stand == stand)
        {
            return;
        }
        self.take_out(id);
        let Some(place) = self.places.get_mut(id) else {
            return;
        };
        place.stand = stand;
        match stand {
            Stand::Out => {}
            Stand::Asleep(due) => {
                self.asleep.insert((due, id.clone()));
            }
            Stand::Ready => {
                let lane = &mut self.lanes[place.lane as usize];
                place.service = place.service.max(lane.served);
                lane.groups
                    .entry(place.group.clone())
                    .or_default()
                    .insert((place.service, id.clone()));
            }
        }
    }

    /// Who has slept longest of those whose time has come.
    pub(crate) fn sleeper(&self, now: DateTime<Utc>) -> Option<StreamId> {
        let (due, id) = self.asleep.first()?;
        (*due <= now).then(|| id.clone())
    }

    /// The groups of a lane that have something due.
    pub(crate) fn groups(&self, lane: Lane) -> impl Iterator<Item = &Group> {
        self.lanes[lane as usize].groups.keys()
    }

    /// The streams of a group, who has been served least first.
    pub(crate) fn ready<'a>(
        &'a self,
        lane: Lane,
        group: &Group,
    ) -> impl Iterator<Item = (u64, &'a StreamId)> + use<'a> {
        self.lanes[lane as usize]
            .groups
            .get(group)
            .into_iter()
            .flatten()
            .map(|(service, id)| (*service, id))
    }

    /// When the next sleeper wakes.
    pub(crate) fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.asleep.first().map(|(due, _)| *due)
    }

    /// Charges a stream for `count` deliveries that it was given.
    pub(crate) fn charge(&mut self, id: &StreamId, count: usize) {
        if let Some(place) = self.places.get(id) {
            let lane = &mut self.lanes[place.lane as usize];
            lane.served = lane.served.max(place.service);
        }
        self.shift(id, |service, cost| service.saturating_add(cost), count);
    }

    /// Takes back the charge for deliveries that did not begin.
    pub(crate) fn uncharge(&mut self, id: &StreamId, count: usize) {
        self.shift(id, |service, cost| service.saturating_sub(cost), count);
    }

    fn shift(&mut self, id: &StreamId, change: impl Fn(u64, u64) -> u64, count: usize) {
        let Some(place) = self.places.get_mut(id) else {
            return;
        };
        let before = place.service;
        let cost = u64::try_from(count)
            .unwrap_or(u64::MAX)
            .saturating_mul(SERVICE_UNIT / place.weight);
        place.service = change(before, cost);
        if place.stand == Stand::Ready
            && let Some(group) = self.lanes[place.lane as usize].groups.get_mut(&place.group)
        {
            group.remove(&(before, id.clone()));
            group.insert((place.service, id.clone()));
        }
    }

    fn take_out(&mut self, id: &StreamId) {
        let Some(place) = self.places.get_mut(id) else {
            return;
        };
        match place.stand {
            Stand::Out => {}
            Stand::Asleep(due) => {
                self.asleep.remove(&(due, id.clone()));
            }
            Stand::Ready => {
                let groups = &mut self.lanes[place.lane as usize].groups;
                if let Some(group) = groups.get_mut(&place.group) {
                    group.remove(&(place.service, id.clone()));
                    if group.is_empty() {
                        groups.remove(&place.group);
                    }
                }
            }
        }
        place.stand = Stand::Out;
    }
}
