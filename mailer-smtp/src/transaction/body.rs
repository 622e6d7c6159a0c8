use mailer_core::domain::Outcome;
use mailer_core::transport::InFlight;

use super::{After, Done, silent, told};
use crate::classify::Stage;
use crate::mail::Mail;
use crate::time_limits::TimeLimits;
use crate::wire::{Unwritten, Wire};

/// The final dot and its line end.
const DOT: usize = 3;

/// Writes the mail and its final dot, and reads the relay's verdict.
pub(super) async fn send(
    wire: &mut Wire,
    mail: &Mail,
    flight: &InFlight,
    limits: &TimeLimits,
) -> Done {
    let mut pieces = mail.pieces();
    let mut last = pieces.next().unwrap_or_default();
    for next in pieces {
        if let Err(unwritten) = wire.write(last, limits.block).await {
            return interrupted(wire, Stage::Body, &unwritten, limits).await;
        }
        last = next;
    }
    if !wire.is_quiet().await {
        // It refuses what it has seen so far, or the two sides no longer agree on whose turn it is. Never take this for
        // the reply to the dot.
        return verdict(wire, Stage::Body, limits).await;
    }
    if !flight.may_finish() {
        return Done {
            outcome: Outcome::TransientRelay {
                reply: "the relay took so long that the final dot was not sent".to_owned(),
            },
            after: After::Close,
        };
    }
    match wire.write(last, limits.block).await {
        Ok(()) => verdict(wire, Stage::Dot, limits).await,
        Err(unwritten) => {
            let dot_may_have_left = unwritten.written + DOT > last.len();
            let stage = if dot_may_have_left {
                Stage::Dot
            } else {
                Stage::Body
            };
            interrupted(wire, stage, &unwritten, limits).await
        }
    }
}

/// What the relay says about it. Every reply decides; silence is unknown exactly after the dot.
async fn verdict(wire: &mut Wire, stage: Stage, limits: &TimeLimits) -> Done {
    let limit = match stage {
        Stage::Dot => limits.after_dot,
        _ => limits.command,
    };
    match wire.reply(limit).await {
        Ok(reply) => told(stage, reply, After::Keep),
        Err(fault) => silent(stage, &fault),
    }
}

/// The mail could not be written to its end. A relay that closes has often said why before.
async fn interrupted(
    wire: &mut Wire,
    stage: Stage,
    unwritten: &Unwritten,
    limits: &TimeLimits,
) -> Done {
    if unwritten.fault.is_closed() || !wire.is_quiet().await {
        match wire.reply(limits.command).await {
            Ok(reply) => Done {
                after: After::Close,
                ..told(stage, reply, After::Close)
            },
            Err(_) => silent(stage, &unwritten.fault),
        }
    } else {
        silent(stage, &unwritten.fault)
    }
}
