//! Implicit TLS and STARTTLS.

use std::sync::Arc;

use testkit::{Certificate, Rule, SmtpServer, Stage};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::client::Client;

fn certificate() -> Certificate {
    Certificate::for_names(&["localhost", "127.0.0.1"]).unwrap()
}

async fn handshake(
    stream: TcpStream,
    ca_pem: &str,
    name: &'static str,
) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap();
    roots.add(authority).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name).unwrap();
    let tls = TlsConnector::from(Arc::new(config)).connect(name, stream);
    Ok(Client::over(tls.await?))
}

#[tokio::test]
async fn implicit_tls_for_name_and_address() {
    let server = SmtpServer::builder()
        .implicit_tls(certificate())
        .start()
        .await
        .unwrap();
    assert!(server.url().starts_with("smtps://127.0.0.1:"));
    for name in ["localhost", "127.0.0.1"] {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let mut client = handshake(stream, server.ca_pem().unwrap(), name)
            .await
            .unwrap();
        assert!(client.reply().await.starts_with("220 "));
        let capabilities = client.ask("EHLO x").await;
        assert!(!capabilities.contains("STARTTLS"), "{capabilities}");
        assert!(client.mail("b@x", "hi").await.starts_with("250 "));
        assert!(client.ask("QUIT").await.starts_with("221 "));
        client.rest().await.1.unwrap();
    }
    assert_eq!(server.mails().len(), 2);
    assert!(server.connections().iter().all(|connection| connection.tls));
}

#[tokio::test]
async fn a_stranger_and_a_wrong_name_are_not_trusted() {
    let server = SmtpServer::builder()
        .implicit_tls(certificate())
        .start()
        .await
        .unwrap();
    let stranger = certificate();
    for (ca_pem, name) in [
        (stranger.ca_pem(), "localhost"),
        (server.ca_pem().unwrap(), "other.example"),
    ] {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        assert!(handshake(stream, ca_pem, name).await.is_err());
    }
}

#[tokio::test]
async fn starttls_begins_anew_and_drops_what_was_injected() {
    let server = SmtpServer::builder()
        .starttls(certificate())
        .start()
        .await
        .unwrap();
    assert!(server.url().starts_with("smtp://"));
    let mut client = Client::greeted(server.addr()).await;
    assert!(client.ask("EHLO x").await.contains("STARTTLS"));
    assert_eq!(
        client.ask("STARTTLS\r\nNOOP injected").await,
        "220 2.0.0 ready for TLS\r\n"
    );
    let ca_pem = server.ca_pem().unwrap();
    let mut client = handshake(client.stream, ca_pem, "localhost").await.unwrap();
    assert!(client.ask("MAIL FROM:<a@x>").await.starts_with("503 "));
    assert!(!client.ask("EHLO x").await.contains("STARTTLS"));
    assert!(client.mail("b@x", "hi").await.starts_with("250 "));
    assert!(!server.command_lines().contains(&"NOOP injected".to_owned()));
}

#[tokio::test]
async fn the_handshake_and_the_stream_below_it_can_be_broken() {
    let server = SmtpServer::builder()
        .implicit_tls(certificate())
        .rule(Rule::at(Stage::Tls).on_connection(1).cut())
        .rule(
            Rule::at(Stage::Tls)
                .on_connection(2)
                .reply_raw(*b"220 plain\r\n"),
        )
        .rule(Rule::at(Stage::Ehlo).cut())
        .start()
        .await
        .unwrap();
    let ca_pem = server.ca_pem().unwrap();
    for _ in 0..2 {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        assert!(handshake(stream, ca_pem, "localhost").await.is_err());
    }
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let mut client = handshake(stream, ca_pem, "localhost").await.unwrap();
    assert!(client.reply().await.starts_with("220 "));
    client.send("EHLO x\r\n").await;
    let end = client.rest().await.1;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}
