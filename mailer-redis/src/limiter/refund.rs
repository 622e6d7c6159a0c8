//! Giving tokens back.

use mailer_core::Error;

use crate::args::Args;
use crate::call::Caller;
use crate::script::REFUND;

/// Gives back what a reservation will not use: `unused` tokens in all.
///
/// # Errors
/// If the server cannot be reached.
///
/// # Cancel safety
/// A dropped call may have been executed. Asked again, it counts once.
pub(crate) async fn refund(caller: &Caller, id: &str, unused: u32) -> Result<(), Error> {
    let mut args = Args::new();
    args.text(id).int(unused);
    caller.call("refund", &REFUND, &args).await?;
    Ok(())
}
