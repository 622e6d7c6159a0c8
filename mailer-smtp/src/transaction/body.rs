use std::time::Duration;

use mailer_core::domain::Outcome;
use mailer_core::transport::InFlight;

use super::{Done, silent, told};
use crate::classify::Stage;
use crate::mail::Mail;
use crate::render::Envelope;
use crate::reply::Reply;
use crate::time_limits::TimeLimits;
use crate::wire::{Fault, Unwritten, Wire};

/// The final dot and its line end.
const DOT: usize = 3;
/// What TLS puts into one record at most (RFC 8446 section 5.1).
const RECORD: usize = 16 * 1024;

/// Writes all of the mail but its last piece, which has the final dot, and looks whether that may follow.
///
/// # Errors
/// What became of the mail, if not.
pub(crate) async fn lead(
    wire: &mut Wire,
    mail: &Mail,
    flight: &InFlight,
    limits: &TimeLimits,
) -> Result<(), Done> {
    for piece in mail.leading() {
        if let Err(unwritten) = wire.write(piece, limits.block).await {
            return Err(interrupted(wire, Stage::Body, &unwritten, limits).await);
        }
    }
    if !wire.is_quiet().await {
        // It refuses what it has seen so far, or the two sides no longer agree on whose turn it is. Never take this for
        // the reply to the dot.
        return Err(verdict(wire, Stage::Body, limits.command).await);
    }
    if !flight.may_finish() {
        return Err(too_late());
    }
    Ok(())
}

/// Whether it was sent would not be known in time.
pub(crate) fn too_late() -> Done {
    Done::closing(Outcome::TransientRelay {
        reply: "the relay took so long that the final dot was not sent".to_owned(),
    })
}

/// Writes the last piece, and the envelope of the next mail behind its dot.
///
/// # Errors
/// What became of the mail, if the dot did not leave.
pub(crate) async fn finish(
    wire: &mut Wire,
    mail: &mut Mail,
    behind: Option<&Envelope>,
    limits: &TimeLimits,
) -> Result<(), Done> {
    let (bytes, length) = mail.last(behind);
    match wire.write(bytes, limits.block).await {
        Ok(()) => Ok(()),
        Err(unwritten) => {
            // Where TLS fails it forgets how many records have left, and the dot may be in an earlier one than the envelope.
            let is_told = behind.is_none() || bytes.len() <= RECORD;
            let dot_may_have_left = !is_told || unwritten.written + DOT > length;
            let stage = if dot_may_have_left {
                Stage::Dot
            } else {
                Stage::Body
            };
            Err(interrupted(wire, stage, &unwritten, limits).await)
        }
    }
}

/// What the relay says about it. Every reply decides; silence is unknown exactly after the dot.
///
/// # Cancel safety
/// What has come of the reply is kept.
pub(crate) async fn verdict(wire: &mut Wire, stage: Stage, limit: Duration) -> Done {
    let reply = wire.reply(limit).await;
    judge(stage, reply)
}

/// What the reply makes of it.
pub(crate) fn judge(stage: Stage, reply: Result<Reply<'_>, Fault>) -> Done {
    match reply {
        Ok(reply) => told(stage, reply),
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
            Ok(reply) => told(stage, reply).and_closed(),
            Err(_) => silent(stage, &unwritten.fault),
        }
    } else {
        silent(stage, &unwritten.fault)
    }
}
