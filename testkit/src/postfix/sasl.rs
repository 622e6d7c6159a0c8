//! Who tells a Postfix whether a password is right: a server of Dovecot's authentication protocol, version 1.1.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Knows one user, and AUTH PLAIN.
#[derive(Debug)]
pub(super) struct SaslServer {
    addr: SocketAddr,
    listener: JoinHandle<()>,
}

impl SaslServer {
    pub(super) async fn start(user: &str, password: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let right = STANDARD.encode(format!("\0{user}\0{password}"));
        let user = user.to_owned();
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (user, right) = (user.clone(), right.clone());
                tokio::spawn(async move {
                    // Its end is the client's, who then has no answer and lets nobody in.
                    let _ = serve(client, &user, &right).await;
                });
            }
        });
        Ok(Self { addr, listener })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for SaslServer {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// The client says `AUTH<TAB>id<TAB>mechanism<TAB>…<TAB>resp=base64`, and hears `OK` or `FAIL` with the same id.
async fn serve(client: TcpStream, user: &str, right: &str) -> io::Result<()> {
    let (from, mut to) = client.into_split();
    to.write_all(
        b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef\nDONE\n",
    )
    .await?;
    let mut lines = BufReader::new(from).lines();
    while let Some(line) = lines.next_line().await? {
        let mut fields = line.split('\t');
        let (Some("AUTH"), Some(id)) = (fields.next(), fields.next()) else {
            continue;
        };
        let given = fields.find_map(|field| field.strip_prefix("resp="));
        let verdict = if given == Some(right) { "OK" } else { "FAIL" };
        let verdict = format!("{verdict}\t{id}\tuser={user}\n");
        to.write_all(verdict.as_bytes()).await?;
    }
    Ok(())
}
