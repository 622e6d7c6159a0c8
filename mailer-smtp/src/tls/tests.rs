use std::sync::{Arc, Mutex};

use rustls_native_certs::Error as Unread;
use rustls_native_certs::ErrorKind;
use testkit::{Certificate, SmtpServer};
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::*;

/// How a machine's authorities are read, one time after the other; the last for good.
#[derive(Clone)]
enum Read {
    Nothing,
    /// No file handle was left.
    Failed,
    /// Some of them only.
    Partly(CertificateDer<'static>),
    Whole(CertificateDer<'static>),
}

/// What the machine reads, in turn. With it, how often it was asked.
fn reading(turns: Vec<Read>) -> (Arc<Mutex<usize>>, ReadRoots) {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let read = move || {
        let mut count = count.lock().unwrap();
        let turn = turns[(*count).min(turns.len() - 1)].clone();
        *count += 1;
        let mut result = CertificateResult::default();
        if matches!(turn, Read::Failed | Read::Partly(_)) {
            let inner = io::Error::from_raw_os_error(24);
            let path = "/etc/ssl/certs".into();
            let kind = ErrorKind::Io { inner, path };
            let context = "opening directory";
            result.errors.push(Unread { context, kind });
        }
        if let Read::Partly(authority) | Read::Whole(authority) = turn {
            result.certs.push(authority);
        }
        result
    };
    (asked, Box::new(read))
}

async fn server() -> (SmtpServer, CertificateDer<'static>) {
    let certificate = Certificate::for_names(&["127.0.0.1"]).unwrap();
    let server = SmtpServer::builder().implicit_tls(certificate);
    let server = server.start().await.unwrap();
    let authority = authority(server.ca_pem().unwrap());
    (server, authority)
}

fn authority(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn stranger() -> CertificateDer<'static> {
    authority(Certificate::for_names(&["x.example"]).unwrap().ca_pem())
}

/// What becomes of so many handshakes in turn, and how often the machine's authorities were read.
async fn handshakes(
    count: usize,
    server: &SmtpServer,
    extra: Vec<CertificateDer<'static>>,
    turns: Vec<Read>,
) -> (Vec<&'static str>, usize) {
    let (asked, read) = reading(turns);
    let tls = Tls::reading("127.0.0.1", extra, read).unwrap();
    let mut seen = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        seen.push(match tls.handshake(stream).await {
            Ok(_) => "trusted",
            Err(ConnectError::Transient { .. }) => "transient",
            Err(ConnectError::Config {
                cause: HaltCause::TlsRefused,
                ..
            }) => "refused",
            Err(other) => panic!("{other:?}"),
        });
    }
    let asked = *asked.lock().unwrap();
    (seen, asked)
}

#[tokio::test]
async fn a_moment_in_which_the_roots_cannot_be_read_passes() {
    let (server, own) = server().await;
    let turns = vec![Read::Failed, Read::Whole(own.clone())];
    let seen = handshakes(3, &server, Vec::new(), turns.clone()).await;
    assert_eq!(seen, (vec!["transient", "trusted", "trusted"], 2));
    // Others are trusted, too, but the relay's is one of those that could not be read.
    let seen = handshakes(3, &server, vec![stranger()], turns).await;
    assert_eq!(seen, (vec!["transient", "trusted", "trusted"], 2));
    let turns = vec![Read::Partly(stranger()), Read::Whole(own)];
    let seen = handshakes(3, &server, Vec::new(), turns).await;
    assert_eq!(seen, (vec!["transient", "trusted", "trusted"], 2));
}

#[tokio::test]
async fn what_could_be_read_is_used_and_not_kept() {
    let (server, own) = server().await;
    let seen = handshakes(2, &server, vec![own.clone()], vec![Read::Failed]).await;
    assert_eq!(seen, (vec!["trusted"; 2], 2));
    let seen = handshakes(2, &server, Vec::new(), vec![Read::Partly(own)]).await;
    assert_eq!(seen, (vec!["trusted"; 2], 2));
}

#[tokio::test]
async fn without_any_fault_in_reading_an_unknown_issuer_is_refused() {
    let (server, _) = server().await;
    let seen = handshakes(2, &server, Vec::new(), vec![Read::Nothing]).await;
    assert_eq!(seen.0, ["refused"; 2]);
    let seen = handshakes(2, &server, Vec::new(), vec![Read::Whole(stranger())]).await;
    assert_eq!(seen, (vec!["refused"; 2], 1));
}
