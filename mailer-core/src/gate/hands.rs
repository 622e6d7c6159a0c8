//! Which token each started delivery holds, and which tokens are to be given back.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::BeginItem;
use crate::domain::ClaimId;

/// The tokens in the hands of deliveries that this process started.
///
/// It is lost with the process, and with it the tokens that would have come back: fewer mails are sent than might be,
/// until their window ends, and never more.
#[derive(Debug, Default)]
pub(super) struct Hands {
    state: Mutex<State>,
}

/// The token of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The call that took it.
    pub(super) call: u32,
    pub(super) reservation: String,
    pub(super) send_by: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct State {
    held: HashMap<(ClaimId, u16), Token>,
    reservations: BTreeMap<String, Reservation>,
    sweep_above: usize,
}

/// What became of the tokens of one reservation.
#[derive(Debug)]
struct Reservation {
    /// In hand, or spent.
    used: u32,
    /// Given back.
    unused: u32,
    /// How many of the unused the limiter knows of.
    told: u32,
    until: DateTime<Utc>,
}

impl Hands {
    /// The token that this very call took, if it was made before.
    pub(super) fn of(&self, item: &BeginItem) -> Option<Token> {
        self.lock()
            .held
            .get(&(item.claim, item.index))
            .filter(|token| token.call == item.call)
            .cloned()
    }

    /// How many tokens of a reservation have been taken or given back before: a call that is repeated has those no more.
    pub(super) fn gone(&self, reservation: &str) -> u32 {
        self.lock()
            .reservations
            .get(reservation)
            .map_or(0, |reservation| reservation.used + reservation.unused)
    }

    /// Gives the delivery this token. Returns the one that it held of an earlier call.
    pub(super) fn take(&self, item: &BeginItem, token: Token) -> Option<Token> {
        let mut state = self.lock();
        state.reservation(&token).used += 1;
        state.held.insert((item.claim, item.index), token)
    }

    /// It was not needed: whoever holds the reservation has it again, and the delivery what it held `before`.
    pub(super) fn put_back(&self, item: &BeginItem, before: Option<Token>) {
        let mut state = self.lock();
        let delivery = (item.claim, item.index);
        if let Some(token) = state.held.remove(&delivery) {
            state.reservation(&token).used -= 1;
        }
        if let Some(before) = before {
            state.held.insert(delivery, before);
        }
    }

    /// The delivery of this claim is settled: its token is spent.
    pub(super) fn spend(&self, claim: ClaimId, index: u16) {
        self.lock().held.remove(&(claim, index));
    }

    /// The delivery has not begun after all: its token goes back to the limiter.
    pub(super) fn give_back(&self, claim: ClaimId, index: u16) {
        let mut state = self.lock();
        if let Some(token) = state.held.remove(&(claim, index)) {
            let reservation = state.reservation(&token);
            reservation.used -= 1;
            reservation.unused += 1;
        }
    }

    /// Nobody took these tokens.
    pub(super) fn give_back_rest(&self, token: &Token, tokens: u32) {
        if tokens > 0 {
            self.lock().reservation(token).unused += tokens;
        }
    }

    /// What the limiter is to be told: reservations, and how many of their tokens were not used in all.
    pub(super) fn untold(&self) -> Vec<(String, u32)> {
        self.lock()
            .reservations
            .iter()
            .filter(|(_, reservation)| reservation.told < reservation.unused)
            .map(|(id, reservation)| (id.clone(), reservation.unused))
            .collect()
    }

    pub(super) fn told(&self, reservation: &str, unused: u32) {
        if let Some(reservation) = self.lock().reservations.get_mut(reservation) {
            reservation.told = reservation.told.max(unused);
        }
    }

    /// Forgets tokens that no limiter takes back any more.
    pub(super) fn sweep(&self, now: DateTime<Utc>) {
        let mut state = self.lock();
        if state.held.len() + state.reservations.len() <= state.sweep_above.max(SWEEP_ABOVE) {
            return;
        }
        state
            .reservations
            .retain(|_, reservation| reservation.until > now);
        let State {
            held, reservations, ..
        } = &mut *state;
        held.retain(|_, token| reservations.contains_key(&token.reservation));
        state.sweep_above = 2 * (state.held.len() + state.reservations.len());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reservation(&mut self, token: &Token) -> &mut Reservation {
        self.reservations
            .entry(token.reservation.clone())
            .or_insert_with(|| Reservation {
                used: 0,
                unused: 0,
                told: 0,
                until: token.send_by + REMEMBERED,
            })
    }
}

/// Longer than limiters remember a reservation, and longer than a begin is repeated.
const REMEMBERED: TimeDelta = TimeDelta::minutes(5);
const SWEEP_ABOVE: usize = 1024;
