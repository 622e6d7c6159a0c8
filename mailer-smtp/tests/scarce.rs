//! A machine without sockets. It is the only test of its process, because it takes all of them.

use std::fs::File;
use std::process::Command;

use mailer_core::transport::{ConnectError, Transport};
use mailer_smtp::SmtpTransport;
use testkit::SmtpServer;

#[tokio::test]
async fn a_machine_out_of_sockets_is_trouble_that_passes() {
    let server = SmtpServer::builder().start().await.unwrap();
    let transport = SmtpTransport::from_url(&server.url()).unwrap();
    let this = std::process::id().to_string();
    let limited = Command::new("prlimit")
        .args(["--pid", &this, "--nofile=64:"])
        .status()
        .unwrap();
    assert!(limited.success());

    let hoarded: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let error = transport.connect().await.unwrap_err();
    assert!(
        matches!(&error, ConnectError::Transient { reply } if reply.contains("this machine")),
        "{error:?}"
    );

    drop(hoarded);
    transport.connect().await.unwrap();
}
