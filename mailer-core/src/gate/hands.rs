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
    /// Of each reservation: how many of its tokens were not used, and whether the limiter knows.
    unused: BTreeMap<String, Unused>,
    sweep_above: usize,
}

#[derive(Debug)]
struct Unused {
    tokens: u32,
    told: bool,
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

    pub(super) fn hold(&self, item: &BeginItem, token: Token) {
        self.lock().held.insert((item.claim, item.index), token);
    }

    /// The delivery of this claim is settled; its token is spent, unless it comes back.
    pub(super) fn settled(&self, claim: ClaimId, index: u16, comes_back: bool) {
        let mut state = self.lock();
        if let Some(token) = state.held.remove(&(claim, index))
            && comes_back
        {
            state.give_back(token.reservation, 1, token.send_by);
        }
    }

    pub(super) fn give_back(&self, reservation: &str, tokens: u32, send_by: DateTime<Utc>) {
        if tokens > 0 {
            self.lock()
                .give_back(reservation.to_owned(), tokens, send_by);
        }
    }

    /// What the limiter is to be told: reservations, and how many of their tokens were not used in all.
    pub(super) fn untold(&self) -> Vec<(String, u32)> {
        let state = self.lock();
        let untold = state.unused.iter().filter(|(_, unused)| !unused.told);
        untold
            .map(|(reservation, unused)| (reservation.clone(), unused.tokens))
            .collect()
    }

    pub(super) fn told(&self, reservation: &str, tokens: u32) {
        if let Some(unused) = self.lock().unused.get_mut(reservation) {
            unused.told |= unused.tokens == tokens;
        }
    }

    /// Forgets tokens that no limiter takes back any more.
    pub(super) fn sweep(&self, now: DateTime<Utc>) {
        let mut state = self.lock();
        if state.held.len() + state.unused.len() <= state.sweep_above.max(SWEEP_ABOVE) {
            return;
        }
        state
            .held
            .retain(|_, token| token.send_by + REMEMBERED > now);
        state.unused.retain(|_, unused| unused.until > now);
        state.sweep_above = 2 * (state.held.len() + state.unused.len());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn give_back(&mut self, reservation: String, tokens: u32, send_by: DateTime<Utc>) {
        let unused = self.unused.entry(reservation).or_insert(Unused {
            tokens: 0,
            told: false,
            until: send_by + REMEMBERED,
        });
        unused.tokens += tokens;
        unused.told = false;
    }
}

/// Longer than limiters remember a reservation, and longer than a begin is repeated.
const REMEMBERED: TimeDelta = TimeDelta::minutes(5);
const SWEEP_ABOVE: usize = 1024;
