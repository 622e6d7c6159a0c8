use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::SmtpConfigError;
use crate::secret::Login;

/// Where the relay is and how it is talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) login: Option<Login>,
}

/// There is no opportunistic kind: whoever can drop a line of the relay's answer could then read the mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// TLS from the first byte (RFC 8314 section 3.3).
    Implicit,
    /// STARTTLS (RFC 3207), and nothing without it.
    StartTls,
    /// Clear text.
    None,
}

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self, SmtpConfigError> {
        let url = Url::parse(text.trim()).map_err(|error| match error {
            url::ParseError::EmptyHost => SmtpConfigError::MissingHost,
            error => SmtpConfigError::Url(error.to_string()),
        })?;
        let is_implicit = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            other => return Err(SmtpConfigError::Scheme(other.to_owned())),
        };
        let host = host(&url)?;
        for trailing in [url.path(), url.fragment().unwrap_or_default()] {
            if !matches!(trailing, "" | "/") {
                return Err(SmtpConfigError::Trailing(trailing.to_owned()));
            }
        }
        let login = login(&url)?;
        let word = tls_word(&url)?;
        let encryption = encryption(is_implicit, word.as_deref())?;
        if encryption == Encryption::None && word.is_none() && !is_loopback(&host) {
            return Err(match login {
                Some(_) => SmtpConfigError::ClearPassword(host),
                None => SmtpConfigError::ClearText(host),
            });
        }
        let port = url.port().unwrap_or(match encryption {
            Encryption::Implicit => 465,
            Encryption::StartTls => 587,
            Encryption::None => 25,
        });
        if port == 0 {
            return Err(SmtpConfigError::Number {
                setting: "port",
                value: "0".to_owned(),
                rule: "a port is 1 to 65535",
            });
        }
        Ok(Self {
            host,
            port,
            encryption,
            login,
        })
    }
}

/// The host as it is resolved and as the certificate must name it: ASCII, without the brackets of an IPv6 address.
fn host(url: &Url) -> Result<String, SmtpConfigError> {
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() {
        return Err(SmtpConfigError::MissingHost);
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    let wrong = || SmtpConfigError::Host(host.to_owned());
    let name = percent_decode_str(host)
        .decode_utf8()
        .map_err(|_| wrong())?;
    idna::domain_to_ascii_strict(&name).map_err(|_| wrong())
}

fn login(url: &Url) -> Result<Option<Login>, SmtpConfigError> {
    let decode = |part, text: &str| {
        let wrong = |rule| SmtpConfigError::Login { part, rule };
        let decoded = percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| wrong("is not UTF-8 behind its percent signs"))?;
        if decoded.contains('\0') {
            return Err(wrong("may not hold NUL (RFC 4616)"));
        }
        Ok(decoded.into_owned())
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err(SmtpConfigError::Login {
            part: "user",
            rule: "is missing, though there is a password",
        }),
        (_, None) => Err(SmtpConfigError::Login {
            part: "password",
            rule: "is missing, though there is a user",
        }),
        (user, Some(password)) => Ok(Some(Login {
            user: decode("user", user)?,
            password: decode("password", password)?,
        })),
    }
}

fn tls_word(url: &Url) -> Result<Option<String>, SmtpConfigError> {
    let mut word = None;
    for (key, value) in url.query_pairs() {
        if key != "tls" {
            return Err(SmtpConfigError::UnknownKey(key.into_owned()));
        }
        if word
            .replace(value.into_owned())
            .is_some_and(|first| word.as_ref() != Some(&first))
        {
            return Err(SmtpConfigError::Tls {
                value: word.unwrap_or_default(),
                rule: "it is there twice, with different words",
            });
        }
    }
    Ok(word)
}

fn encryption(is_implicit: bool, word: Option<&str>) -> Result<Encryption, SmtpConfigError> {
    let refused = |value: &str, rule| {
        Err(SmtpConfigError::Tls {
            value: value.to_owned(),
            rule,
        })
    };
    match (is_implicit, word) {
        (true, None) => Ok(Encryption::Implicit),
        (true, Some(word)) => refused(
            word,
            "smtps:// is TLS from the first byte and takes no word",
        ),
        (false, Some("required")) => Ok(Encryption::StartTls),
        (false, None | Some("none")) => Ok(Encryption::None),
        (false, Some(word @ "opportunistic")) => refused(
            word,
            "it is never done, because whoever stands between can switch it off: write required, or none",
        ),
        (false, Some(word)) => refused(word, "the words are required and none"),
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.parse::<IpAddr>()
        .map_or_else(|_| host == "localhost", |ip| ip.is_loopback())
}

#[cfg(test)]
mod tests;
