use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

use super::{builder::Setup, session::Session};
use crate::real_time::sleep;

const BIND_TRIES: u32 = 100;
const BIND_PAUSE: Duration = Duration::from_millis(20);

/// Binds, waiting a while for a port that a stopped server has just left.
pub(super) async fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    for _ in 1..BIND_TRIES {
        match TcpListener::bind(addr).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => sleep(BIND_PAUSE).await,
            done => return done,
        }
    }
    TcpListener::bind(addr).await
}

/// Serves until told to stop; then, or when dropped, takes its connections along.
pub(super) async fn serve(
    listener: TcpListener,
    setup: Arc<Setup>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stop => break,
            Some(_) = sessions.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let number = setup.log.next_number();
                    let setup = Arc::clone(&setup);
                    sessions.spawn(async move {
                        Session::new(setup, stream, number).run().await;
                    });
                }
                // Out of file descriptors, most likely: the ones in use come free.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    sessions.shutdown().await;
}
