use super::{Encryption, Target};
use crate::error::SmtpConfigError;

fn parse(url: &str) -> Result<Target, SmtpConfigError> {
    Target::parse(url)
}

#[test]
fn urls_say_how_the_relay_is_reached() {
    let reached = |url: &str| {
        let target = parse(url).unwrap();
        (target.host, target.port, target.encryption)
    };
    let at = |host: &str, port, encryption| (host.to_owned(), port, encryption);
    assert_eq!(
        reached("smtps://relay.example"),
        at("relay.example", 465, Encryption::Implicit)
    );
    assert_eq!(
        reached("smtps://Relay.Example:4465/"),
        at("relay.example", 4465, Encryption::Implicit)
    );
    assert_eq!(
        reached("smtp://relay.example?tls=required"),
        at("relay.example", 587, Encryption::StartTls)
    );
    assert_eq!(
        reached("smtp://relay.example:25?tls=none"),
        at("relay.example", 25, Encryption::None)
    );
    for host in ["localhost", "127.0.0.1", "127.8.8.8"] {
        assert_eq!(
            reached(&format!("smtp://{host}")),
            at(host, 25, Encryption::None)
        );
    }
    assert_eq!(
        reached("smtp://[::1]:2525"),
        at("::1", 2525, Encryption::None)
    );
    assert_eq!(
        reached("smtps://b\u{fc}cher.example"),
        at("xn--bcher-kva.example", 465, Encryption::Implicit)
    );
}

#[test]
fn secrets_are_decoded_and_never_shown() {
    let target = parse("smtps://ann%40shop:p%3Ass%2F%25%C3%A9@relay.example").unwrap();
    let login = target.login.clone().unwrap();
    assert_eq!(
        (login.user.as_str(), login.password.as_str()),
        ("ann@shop", "p:ss/%\u{e9}")
    );
    let shown = format!("{target:?}");
    assert!(
        !shown.contains("p:ss") && !shown.contains("ann@shop"),
        "{shown}"
    );

    for url in [
        "smtps://ann:s3cret@",
        "ftp://ann:s3cret@relay.example",
        "smtp://ann:s3cret@relay.example",
        "smtps://ann:s3cret%ff@relay.example",
        "smtps://ann:s3cret@relay.example:99999",
        "smtps://ann:s3cret@relay.example?x=1",
        "smtps://ann:s3cret%00@relay.example",
    ] {
        let error = parse(url).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("s3cret"),
            "{error:?}"
        );
    }
}

#[test]
fn errors_name_value_and_rule() {
    let told = |url: &str| parse(url).unwrap_err().to_string();
    assert!(told("http://relay.example").contains("\"http\""));
    assert!(told("smtp://relay.example?tls=opportunistic").contains("opportunistic"));
    assert!(told("smtp://relay.example?tls=maybe").contains("maybe"));
    assert!(told("smtp://relay.example?pool=3").contains("\"pool\""));
    assert!(told("smtps://").contains("no host"));
    assert!(told("smtp://relay.example").contains("?tls=none"));
    assert!(told("smtp://u:p@relay.example").contains("?tls=none"));
    assert!(told("smtp://u:p@relay.example").contains("password"));
    assert!(told("smtps://relay.example?tls=none").contains("smtps://"));
    assert!(told("smtps://relay.example/inbox").contains("/inbox"));
    assert!(told("smtps://u@relay.example").contains("password"));
    assert!(told("smtps://relay.example:0").contains("port"));
    assert!(told("relay.example").contains("URL"));
    assert!(parse("smtp://u:p@localhost").is_ok());
    assert!(parse("smtp://u:p@relay.example?tls=none").is_ok());
}
