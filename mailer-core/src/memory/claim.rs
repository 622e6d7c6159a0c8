//! Leasing pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::page::Body;
use super::state::State;
use super::stream::Stream;
use crate::Error;
use crate::domain::{ClaimId, Deferral, Lane, Limit, Scope};
use crate::gate::Verdict;
use crate::queue::{Claim, ClaimReply, ClaimRequest, ClaimedDelivery, Room, StreamId};
use crate::schedule::DeliveryEvent;
use crate::schedule::fair::Group;
use crate::schedule::refusal;
use crate::schedule::term::{LEASE, REAPS_BEFORE_SINGLE};

/// A page in a worker's hand.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) stream: StreamId,
    pub(super) page: u32,
    pub(super) token: u64,
    pub(super) until: DateTime<Utc>,
    pub(super) suspect_since: Option<DateTime<Utc>>,
    /// Its deliveries that are not settled, each with its begin if it has begun.
    pub(super) open: BTreeMap<u16, Option<Begun>>,
    pub(super) last_call: u32,
    /// The verdicts of the last `begin` call, in case its reply was lost.
    pub(super) last_verdicts: BTreeMap<u16, Verdict>,
}

/// When a delivery began, and on whose tokens.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub(super) at: DateTime<Utc>,
    pub(super) taken: Taken,
}

/// The limits that gave a token, each for its scope. The policy may have others when the token comes back.
pub(super) type Taken = Arc<[(Limit, Scope)]>;

impl State {
    pub(super) fn claim(
        &mut self,
        now: DateTime<Utc>,
        request: &ClaimRequest,
    ) -> Result<ClaimReply, Error> {
        if self.claims.contains_key(&request.id) {
            return Ok(ClaimReply::Claimed(self.describe(now, request.id)?));
        }
        // A call that comes late, after its claim has been settled, must not lease another page under the same id.
        if self.ended_ids.contains(&request.id) {
            return Ok(ClaimReply::Nothing {
                next_due: None,
                server_now: now,
            });
        }
        self.wake(now);
        let Some(policy) = self.policy.clone() else {
            return Ok(self.nothing(now, &request.room));
        };
        for lane in Lane::ALL {
            while let Some(id) = self.best(now, lane, &request.room) {
                let Some(stream) = self.streams.get(&id) else {
                    break;
                };
                let binding = Arc::clone(&stream.binding);
                // A clock that was set back may find it ready too early.
                if stream.next_due(now).is_none_or(|due| due > now) {
                    self.place(&id, now);
                    continue;
                }
                // Asked here and again at begin: a claim that could not begin would only be composed in vain.
                match refusal::of_hours(&binding, &policy.policy, now) {
                    Ok(None) => {}
                    Ok(Some(deferral)) => {
                        self.write_deferral(now, deferral);
                        continue;
                    }
                    Err(never) => {
                        self.never_opens(now, &binding, never);
                        continue;
                    }
                }
                if self.lease(now, &id, request.id) {
                    return Ok(ClaimReply::Claimed(self.describe(now, request.id)?));
                }
            }
        }
        Ok(self.nothing(now, &request.room))
    }

    /// The stream of a lane that is served next, of those that this worker can serve and that nothing defers.
    fn best(&self, now: DateTime<Utc>, lane: Lane, room: &Room) -> Option<StreamId> {
        if self.deferrals.of(&Scope::Namespace, lane, now).is_some() {
            return None;
        }
        self.servable(lane, room)
            .filter(|(group, _)| {
                self.deferrals
                    .latest(&group_scopes(group), lane, now)
                    .is_none()
            })
            .min_by(|(_, one), (_, other)| one.cmp(other))
            .map(|(_, (_, id))| id.clone())
    }

    /// Of each group of a lane that a worker serves: who has been served least, of those whose composer it has.
    fn servable<'a>(
        &'a self,
        lane: Lane,
        room: &'a Room,
    ) -> impl Iterator<Item = (&'a Group, (u64, &'a StreamId))> {
        let composes = move |id: &StreamId| {
            self.streams.get(id).is_some_and(|stream| {
                stream
                    .campaign
                    .as_ref()
                    .is_none_or(|campaign| room.composers.contains(&campaign.letter.composer))
            })
        };
        self.order
            .groups(lane)
            .filter(move |(relay, _)| {
                room.relays
                    .get(relay)
                    .is_some_and(|lanes| lanes.contains(lane))
            })
            .filter_map(move |group| {
                let first = self
                    .order
                    .ready(lane, group)
                    .find(|(_, id)| composes(id) && !room.except.contains(id))?;
                Some((group, first))
            })
    }

    /// Takes the stream's first due page. False: nothing of it was left to take, and the stream stands elsewhere now.
    fn lease(&mut self, now: DateTime<Utc>, id: &StreamId, claim: ClaimId) -> bool {
        let Some(stream) = self.streams.get_mut(id) else {
            self.order.remove(id);
            return false;
        };
        let number = stream
            .due
            .first()
            .filter(|(due, _)| *due <= now)
            .map(|(_, number)| *number);
        let Some(number) = number.filter(|_| stream.may_start(now)) else {
            self.place(id, now);
            return false;
        };
        expire_messages(stream, number, now);
        let Some(page) = stream.pages.get_mut(&number) else {
            return false;
        };
        // A page that was taken back twice may hold a mail that kills who composes it: one by one.
        let at_most = if page.reaps >= REAPS_BEFORE_SINGLE {
            1
        } else {
            usize::MAX
        };
        let open: BTreeMap<u16, Option<Begun>> = page
            .claimable(now)
            .take(at_most)
            .map(|index| (index, None))
            .collect();
        if open.is_empty() {
            if page.is_final() {
                page.finished_at.get_or_insert(now);
            }
            stream.set_due(number);
            stream.note_end(now);
            self.place(id, now);
            return false;
        }
        page.owner = Some(claim);
        let count = open.len();
        stream.set_due(number);
        self.last_token += 1;
        self.claims.insert(
            claim,
            Lease {
                stream: id.clone(),
                page: number,
                token: self.last_token,
                until: now + LEASE,
                suspect_since: None,
                open,
                last_call: 0,
                last_verdicts: BTreeMap::new(),
            },
        );
        self.order.charge(id, count);
        self.place(id, now);
        true
    }

    fn describe(&self, now: DateTime<Utc>, id: ClaimId) -> Result<Claim, Error> {
        let gone = || Error::not_found("claim", "the claim is gone");
        let lease = self.claims.get(&id).ok_or_else(gone)?;
        let stream = self.streams.get(&lease.stream).ok_or_else(gone)?;
        let page = stream.pages.get(&lease.page).ok_or_else(gone)?;
        let mut records: Vec<_> = page
            .records()
            .map_err(|fault| Error::incompatible("claim", fault))?
            .into_iter()
            .map(Some)
            .collect();
        let deliveries = lease
            .open
            .iter()
            .filter(|(_, started)| started.is_none())
            .filter_map(|(index, _)| {
                let record = records.get_mut(usize::from(*index))?.take()?;
                let row = page.rows.get(index);
                let (letter, on_unknown) = match (&page.body, &stream.campaign) {
                    (Body::Messages(messages), _) => {
                        let message = messages.get(usize::from(*index))?;
                        (Arc::new(message.letter.clone()), message.on_unknown)
                    }
                    (Body::Records(_), Some(campaign)) => {
                        (Arc::clone(&campaign.letter), campaign.spec.on_unknown)
                    }
                    (Body::Records(_), None) => return None,
                };
                Some(ClaimedDelivery {
                    index: *index,
                    record,
                    letter,
                    attempt: row.map_or(0, |row| row.attempts) + 1,
                    repeats: row.and_then(|row| row.doubt).map(|doubt| doubt.begun_at),
                    on_unknown,
                })
            })
            .collect();
        Ok(Claim {
            id,
            token: lease.token,
            binding: Arc::clone(&stream.binding),
            server_now: now,
            deliveries,
        })
    }

    fn nothing(&self, now: DateTime<Utc>, room: &Room) -> ClaimReply {
        ClaimReply::Nothing {
            next_due: self.next_due(now, room),
            server_now: now,
        }
    }

    /// The next instant at which a worker may claim something: a sleeper wakes, or a closed scope opens.
    pub(super) fn next_due(&self, now: DateTime<Utc>, room: &Room) -> Option<DateTime<Utc>> {
        self.policy.as_ref()?;
        let opens = Lane::ALL.into_iter().flat_map(|lane| {
            self.servable(lane, room).map(move |(group, _)| {
                let [relay, sender] = group_scopes(group);
                self.deferrals
                    .latest(&[Scope::Namespace, relay, sender], lane, now)
                    .map_or(now, Deferral::end)
            })
        });
        opens
            .chain(self.order.next_wake())
            .min()
            .filter(|at| *at < DateTime::<Utc>::MAX_UTC)
    }
}

fn group_scopes((relay, sender): &Group) -> [Scope; 2] {
    [Scope::Relay(relay.clone()), Scope::sender(sender.as_str())]
}

/// Single mails whose time is over do not begin.
fn expire_messages(stream: &mut Stream, number: u32, now: DateTime<Utc>) {
    let Some(page) = stream.pages.get_mut(&number) else {
        return;
    };
    let Body::Messages(messages) = &page.body else {
        return;
    };
    let expired: Vec<u16> = page
        .claimable(now)
        .filter(|index| {
            messages
                .get(usize::from(*index))
                .and_then(|message| message.expires_at)
                .is_some_and(|at| at <= now)
        })
        .collect();
    for index in expired {
        // A waiting delivery can always expire.
        let _ = page.step(index, DeliveryEvent::Expire, &mut stream.counts);
    }
}
