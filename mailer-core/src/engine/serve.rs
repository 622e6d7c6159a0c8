//! One connection, from the attempt to open it to its end.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::transport::{ConnectError, End, Transport, Work};

/// Opens a connection and has it served.
///
/// A panic of the transport ends here as an error: the plan counts a connection until it hears of its end, and would
/// have a place less for each that it never heard of.
pub(super) async fn serve(transport: &dyn Transport, work: &mut Work) -> End {
    let served = async {
        let mut session = transport.connect().await?;
        session.serve(work).await;
        Ok(work.end())
    };
    // What the panic has left behind is not looked at: the session is gone, and of the work only what is unclaimed counts.
    match AssertUnwindSafe(served).catch_unwind().await {
        Ok(served) => served.unwrap_or_else(End::Failed),
        Err(panic) => End::Failed(ConnectError::Transient {
            reply: format!("the transport panicked: {}", words(&*panic)),
        }),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}
