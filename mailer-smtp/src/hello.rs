use mailer_core::transport::ConnectError;

use crate::classify::{Connection, Stage, classify};
use crate::dial::{accepted, ask};
use crate::relay::Settings;
use crate::reply::Reply;
use crate::wire::Wire;

/// What the relay offers (RFC 5321 section 4.1.1.1), as far as it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    /// RFC 2920.
    pub(crate) pipelining: bool,
    /// RFC 6531.
    pub(crate) smtputf8: bool,
    /// RFC 3207.
    pub(crate) starttls: bool,
    /// RFC 1870.
    pub(crate) size: bool,
    /// The largest mail that it takes, if it says so.
    pub(crate) max_size: Option<u64>,
    /// RFC 4954, with the mechanism of RFC 4616.
    pub(crate) auth_plain: bool,
    /// The mechanism that never became a standard.
    pub(crate) auth_login: bool,
    /// The mechanism of Google and Microsoft.
    pub(crate) auth_xoauth2: bool,
}

/// Says `EHLO`, or `HELO` to a relay that does not know `EHLO`.
pub(crate) async fn hello(
    wire: &mut Wire,
    settings: &Settings,
) -> Result<Extensions, ConnectError> {
    let name = match &settings.hello_name {
        Some(name) => name.clone(),
        None => address_literal(wire),
    };
    let limit = settings.limits.setup;
    let reply = ask(wire, format!("EHLO {name}\r\n").as_bytes(), limit).await;
    let is_unknown = |reply| classify(Stage::Ehlo, reply).connection == Connection::Helo;
    if !reply.as_ref().is_ok_and(|&reply| is_unknown(reply)) {
        return accepted(Stage::Ehlo, reply).map(Extensions::parse);
    }
    let reply = ask(wire, format!("HELO {name}\r\n").as_bytes(), limit).await;
    accepted(Stage::Helo, reply).map(|_| Extensions::default())
}

/// Who we are, if we have no name (RFC 5321 section 4.1.3).
fn address_literal(wire: &Wire) -> String {
    match wire.stream().local_addr().map(|address| address.ip()) {
        Ok(std::net::IpAddr::V4(ip)) => format!("[{ip}]"),
        Ok(std::net::IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        Err(_) => "[127.0.0.1]".to_owned(),
    }
}

impl Extensions {
    /// Every line but the first, which is the relay's name and greeting.
    fn parse(reply: Reply<'_>) -> Self {
        let mut offered = Self::default();
        for line in reply.texts().skip(1) {
            let line = String::from_utf8_lossy(line).to_ascii_uppercase();
            // Old relays write `AUTH=LOGIN`.
            let mut words = line.split([' ', '=', '\t']).filter(|word| !word.is_empty());
            match words.next().unwrap_or_default() {
                "PIPELINING" => offered.pipelining = true,
                "SMTPUTF8" => offered.smtputf8 = true,
                "STARTTLS" => offered.starttls = true,
                "SIZE" => {
                    let limit = words.next().and_then(|number| number.parse().ok());
                    offered.size = true;
                    offered.max_size = limit.filter(|&limit| limit > 0);
                }
                "AUTH" => {
                    for mechanism in words {
                        offered.auth_plain |= mechanism == "PLAIN";
                        offered.auth_login |= mechanism == "LOGIN";
                        offered.auth_xoauth2 |= mechanism == "XOAUTH2";
                    }
                }
                _ => {}
            }
        }
        offered
    }
}

#[cfg(test)]
mod tests {
    use super::Extensions;
    use crate::reply::Inbox;

    fn parse(text: &str) -> Extensions {
        let mut inbox = Inbox::default();
        inbox.space().extend_from_slice(text.as_bytes());
        Extensions::parse(inbox.next().unwrap().unwrap())
    }

    #[test]
    fn offers_are_read() {
        let offered = parse(
            "250-PIPELINING\r\n250-size 1000\r\n250-AUTH=LOGIN\r\n250-Auth PLAIN XOAUTH2\r\n250 SMTPUTF8\r\n",
        );
        let expected = Extensions {
            pipelining: false, // the first line is a name, whatever it says
            smtputf8: true,
            starttls: false,
            size: true,
            max_size: Some(1_000),
            auth_plain: true,
            auth_login: true,
            auth_xoauth2: true,
        };
        assert_eq!(offered, expected);
        assert_eq!(parse("250\r\n"), Extensions::default());
        for unlimited in ["250-x\r\n250 SIZE 0\r\n", "250-x\r\n250 SIZE\r\n"] {
            let offered = parse(unlimited);
            assert_eq!((offered.size, offered.max_size), (true, None));
        }
    }
}
