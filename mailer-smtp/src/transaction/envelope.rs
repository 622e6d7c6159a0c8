use super::{Done, Opening, Stale, silent, told};
use crate::classify::{Class, Stage, classify};
use crate::dial::{Line, ask};
use crate::mail::Mail;
use crate::reply::{Enhanced, Reply};
use crate::time_limits::TimeLimits;
use crate::wire::{Fault, Wire};

/// What the relay says to an envelope.
pub(crate) enum Answer {
    /// It wants the body.
    Go,
    /// It does not.
    Done(Done),
}

/// Writes the envelope, if it has not left yet, and reads what the relay says to it.
pub(crate) async fn send(
    line: &mut Line,
    mail: &Mail,
    limits: &TimeLimits,
    opening: Opening,
) -> Result<Answer, Stale> {
    let wire = &mut line.wire;
    if !line.extensions.pipelining || opening == Opening::AfterRefusal {
        return one_by_one(wire, mail, limits, opening).await;
    }
    if opening != Opening::Behind
        && let Err(silent) = write(wire, mail, limits).await
    {
        return Ok(Answer::Done(silent));
    }
    replies(wire, limits, opening).await
}

/// RFC 2920: the three commands go out together.
///
/// # Errors
/// What became of the mail, if the relay does not take them. One that has closed may have said why: its replies tell.
pub(crate) async fn write(wire: &mut Wire, mail: &Mail, limits: &TimeLimits) -> Result<(), Done> {
    match wire.write(mail.envelope.flight(), limits.command).await {
        Err(unwritten) if !unwritten.fault.is_closed() => {
            Err(silent(Stage::Mail, &unwritten.fault))
        }
        Err(_) | Ok(()) => Ok(()),
    }
}

async fn one_by_one(
    wire: &mut Wire,
    mail: &Mail,
    limits: &TimeLimits,
    opening: Opening,
) -> Result<Answer, Stale> {
    let steps = [
        (Stage::Mail, mail.envelope.mail()),
        (Stage::Rcpt, mail.envelope.rcpt()),
        (Stage::Data, mail.envelope.data()),
    ];
    for (stage, command) in steps {
        let reply = ask(wire, command, limits.command).await;
        if stage == Stage::Mail
            && let Some(stale) = stale(&reply, opening)
        {
            return Err(stale);
        }
        match reply {
            Ok(reply) if classify(stage, reply).class == Class::Accepted => {}
            Ok(reply) => return Ok(Answer::Done(told(stage, reply))),
            Err(fault) => return Ok(Answer::Done(silent(stage, &fault))),
        }
    }
    Ok(Answer::Go)
}

/// All three replies are read, whatever the first says.
async fn replies(wire: &mut Wire, limits: &TimeLimits, opening: Opening) -> Result<Answer, Stale> {
    let mut refusal: Option<Done> = None;
    let mut rcpt_accepted = false;
    let mut data_accepted = false;
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data] {
        let reply = wire.reply(limits.command).await;
        if stage == Stage::Mail
            && let Some(stale) = stale(&reply, opening)
        {
            return Err(stale);
        }
        let reply = match reply {
            Ok(reply) => reply,
            // What was said before counts more than the silence after it.
            Err(fault) => {
                let done = match refusal {
                    Some(refusal) => refusal.and_closed(),
                    None => silent(stage, &fault),
                };
                return Ok(Answer::Done(done));
            }
        };
        if classify(stage, reply).class == Class::Accepted {
            rcpt_accepted |= stage == Stage::Rcpt;
            data_accepted |= stage == Stage::Data;
            continue;
        }
        let is_last_word = reply.code() == 421;
        let done = match refusal.take() {
            None => told(stage, reply),
            Some(refusal) => refusal,
        };
        if is_last_word {
            return Ok(Answer::Done(done.and_closed()));
        }
        refusal = Some(done);
    }
    match refusal {
        None => Ok(Answer::Go),
        // It waits for a body that nobody may get: an empty one, as RFC 2920 section 3.1 has it.
        Some(done) if data_accepted && !rcpt_accepted => {
            let dot = ask(wire, b".\r\n", limits.command).await;
            Ok(Answer::Done(if dot.is_ok() {
                done
            } else {
                done.and_closed()
            }))
        }
        // It refused the sender and accepted the recipient: an empty body might be delivered.
        Some(done) if data_accepted => Ok(Answer::Done(done.and_closed())),
        Some(done) => Ok(Answer::Done(done)),
    }
}

/// Whether a kept connection was closed before this mail: no reply at all, or the 421 of a relay that waited for too long
/// (4.4.2), which crossed our `MAIL FROM`.
fn stale(reply: &Result<Reply<'_>, Fault>, opening: Opening) -> Option<Stale> {
    let idle = Enhanced {
        class: 4,
        subject: 4,
        detail: 2,
    };
    match (reply, opening) {
        (_, Opening::Fresh) => None,
        // Of what came behind the dot it may have thrown away the beginning only.
        (Ok(reply), Opening::Behind) if reply.code() == 503 => Some(Stale::Swallowed),
        (Ok(reply), _) => {
            let is_idle = reply.code() == 421 && reply.enhanced() == Some(idle);
            is_idle.then_some(Stale::Closed)
        }
        (Err(fault), _) if fault.is_closed() => Some(Stale::Closed),
        (Err(Fault::TimedOut(_)), Opening::Behind) => Some(Stale::Swallowed),
        (Err(_), _) => None,
    }
}
