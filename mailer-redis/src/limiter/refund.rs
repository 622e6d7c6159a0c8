//! Giving tokens back.

use mailer_core::Error;

use crate::args::Args;
use crate::call::Caller;
use crate::script::REFUND;

pub(crate) async fn refund(caller: &Caller, id: &str, unused: u32) -> Result<(), Error> {
    let mut args = Args::new();
    args.text(id).int(unused);
    caller.call("refund", &REFUND, &args).await?;
    Ok(())
}
