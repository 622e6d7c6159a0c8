//! One command, one reply.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::real_time::within;

pub(super) const COMMAND_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn send(addr: SocketAddr, words: &[&str]) -> io::Result<String> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    within(COMMAND_LIMIT, "reply of redis-server", async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut reply = Vec::new();
        while reply_length(&reply).is_none() {
            if stream.read_buf(&mut reply).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(String::from_utf8_lossy(&reply).into_owned())
    })
    .await?
}

/// The length of the reply these bytes begin with, once it is complete.
fn reply_length(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let count = || std::str::from_utf8(&bytes[1..line - 2]).ok()?.parse().ok();
    match bytes[0] {
        b'$' => {
            let length: i64 = count()?;
            let length = usize::try_from(length).map_or(line, |length| line + length + 2);
            (bytes.len() >= length).then_some(length)
        }
        b'*' => {
            let items: i64 = count()?;
            (0..items).try_fold(line, |at, _| Some(at + reply_length(bytes.get(at..)?)?))
        }
        _ => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_complete_at_its_last_byte() {
        for reply in [
            "+OK\r\n",
            "-ERR x\r\n",
            ":1\r\n",
            "$-1\r\n",
            "$3\r\na\r\n\r\n",
            "*0\r\n",
            "*2\r\n*1\r\n:1\r\n$1\r\nx\r\n",
        ] {
            for cut in 0..reply.len() {
                assert_eq!(reply_length(&reply.as_bytes()[..cut]), None, "{reply:?}");
            }
            assert_eq!(reply_length(reply.as_bytes()), Some(reply.len()));
        }
    }
}
