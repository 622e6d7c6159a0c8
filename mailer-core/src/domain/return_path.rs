//! Where bounces go, if not to the sender.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Address, Fault};

/// Where bounces go: the sender of the envelope (`MAIL FROM`), which receivers keep as `Return-Path`.
///
/// Either one address for all mails, or one for each recipient (VERP), which names the recipient so that a bounce tells
/// by itself whom it is about: `bounces+ann=example.com@shop.example`, as qmail and Postfix write it.
///
/// ```
/// use mailer_core::domain::{Address, ReturnPath};
///
/// let path = ReturnPath::Verp("bounces@shop.example".parse()?);
/// let bounced = path.of(&"ann@example.com".parse()?);
/// assert_eq!(bounced.as_str(), "bounces+ann=example.com@shop.example");
/// assert_eq!(path.recipient(&bounced), Some("ann@example.com".parse()?));
/// # Ok::<(), mailer_core::domain::AddressError>(())
/// ```
///
/// Some recipients do not fit in there: more than 64 octets may not stand before the @ (RFC 5321 section 4.5.3.1.1), and
/// what is not ASCII would need a relay with SMTPUTF8. Theirs has a key in place of the address, 32 hexadecimal digits:
/// a host finds whom it means by asking [`of`](Self::of) for those that it wrote to.
///
/// The domain is what receivers check with SPF, so for DMARC it belongs to the same organisation as the sender's. Limits
/// per sender count by the address in `From`, whatever stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReturnPath {
    /// The same address for all.
    Plain(Address),
    /// An address for each recipient, made of this one: at most 31 octets before the @ and 189 behind it, so that every
    /// recipient has one.
    Verp(Address),
}

/// As many octets as may stand before the @, without the `+` and the key.
const LONGEST_BASE: usize = 64 - 1 - KEY_DIGITS;
/// 254 octets in all, less 64 and the @.
const LONGEST_DOMAIN: usize = 189;
const KEY_DIGITS: usize = 32;

impl ReturnPath {
    /// The sender of the envelope of a mail to `recipient`. The same recipient always has the same.
    #[must_use]
    pub fn of(&self, recipient: &Address) -> Address {
        match self {
            Self::Plain(address) => address.clone(),
            Self::Verp(base) => {
                let (local, domain) = (base.local(), base.domain());
                let with = |tag: &str| format!("{local}+{tag}@{domain}").parse::<Address>();
                let named = recipient.as_str().is_ascii().then(|| {
                    let tag = format!("{}={}", recipient.local(), recipient.domain());
                    with(&tag)
                });
                named
                    .and_then(Result::ok)
                    .or_else(|| with(&key(recipient)).ok())
                    // Only a base that did not pass the door is too long for the key.
                    .unwrap_or_else(|| base.clone())
            }
        }
    }

    /// Whom a mail that came back to `bounced` was for. None: that is not said in it, or it is not one of ours.
    #[must_use]
    pub fn recipient(&self, bounced: &Address) -> Option<Address> {
        let Self::Verp(base) = self else {
            return None;
        };
        let (front, tag) = bounced.local().split_at_checked(base.local().len())?;
        let is_ours = bounced.domain() == base.domain() && front.eq_ignore_ascii_case(base.local());
        let (local, domain) = tag.strip_prefix('+')?.rsplit_once('=')?;
        is_ours
            .then(|| format!("{local}@{domain}").parse().ok())
            .flatten()
    }

    /// The address as the host gave it.
    #[must_use]
    pub fn address(&self) -> &Address {
        match self {
            Self::Plain(address) | Self::Verp(address) => address,
        }
    }

    /// What does not let an address be made for every recipient.
    pub(super) fn fault(&self) -> Option<Fault> {
        let Self::Verp(base) = self else {
            return None;
        };
        let fits = base.local().len() <= LONGEST_BASE && base.domain().len() <= LONGEST_DOMAIN;
        (!fits).then(|| {
            Fault::new(
                "return_path",
                base.as_str(),
                "at most 31 octets before the @ and 189 behind it, so that an address can be made of it for every recipient",
            )
        })
    }
}

/// What stands for a recipient whose address does not fit.
fn key(recipient: &Address) -> String {
    let hash = Sha256::digest(recipient.as_str());
    let digits = hash.iter().map(|byte| format!("{byte:02x}"));
    digits.take(KEY_DIGITS / 2).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verp() -> ReturnPath {
        ReturnPath::Verp("bounces@shop.example".parse().unwrap())
    }

    fn of(recipient: &str) -> String {
        verp().of(&recipient.parse().unwrap()).to_string()
    }

    #[test]
    fn a_recipient_stands_in_its_return_path() {
        for (recipient, expected) in [
            ("ann@example.com", "bounces+ann=example.com@shop.example"),
            (
                "Ann+news=x@Example.com",
                "bounces+Ann+news=x=example.com@shop.example",
            ),
        ] {
            assert_eq!(of(recipient), expected);
            let said = verp().recipient(&expected.parse().unwrap());
            assert_eq!(said, Some(recipient.parse().unwrap()));
        }
        let shouted = "BOUNCES+ann=example.com@SHOP.example".parse().unwrap();
        assert_eq!(
            verp().recipient(&shouted),
            Some("ann@example.com".parse().unwrap())
        );
        for other in [
            "bounces@shop.example",
            "bounces+ann@shop.example",
            "bounces+ann=@shop.example",
            "other+ann=example.com@shop.example",
            "bounces+ann=example.com@other.example",
        ] {
            assert_eq!(verp().recipient(&other.parse().unwrap()), None, "{other}");
        }
    }

    #[test]
    fn a_recipient_that_does_not_fit_has_a_key() {
        let most = 64 - "bounces+=example.com".len();
        let fits = of(&format!("{}@example.com", "a".repeat(most)));
        assert!(fits.contains("=example.com@"), "{fits}");
        let long = of(&format!("{}@example.com", "a".repeat(most + 1)));
        let other = of(&format!("{}@example.com", "b".repeat(most + 1)));
        let foreign = of("j\u{f6}rg@example.com");
        let idn = of("ann@b\u{fc}cher.example");
        for (index, keyed) in [&long, &other, &foreign, &idn].into_iter().enumerate() {
            let key = keyed
                .strip_prefix("bounces+")
                .and_then(|rest| rest.strip_suffix("@shop.example"))
                .unwrap();
            assert_eq!(key.len(), 32, "{index} {keyed}");
            assert!(key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{keyed}");
            assert_eq!(verp().recipient(&keyed.parse().unwrap()), None);
        }
        assert_ne!(long, other);
        assert_ne!(foreign, idn);
    }

    #[test]
    fn one_address_for_all_stays_as_it_is() {
        let address: Address = "bounces@shop.example".parse().unwrap();
        let path = ReturnPath::Plain(address.clone());
        assert_eq!(path.of(&"ann@example.com".parse().unwrap()), address);
        assert_eq!(path.recipient(&address), None);
    }

    proptest! {
        #[test]
        fn every_recipient_has_one_of_its_own(
            base in "[a-z0-9]{1,31}",
            labels in prop::collection::vec("[a-z]{1,62}", 1..4),
            ann in "[a-zA-Z0-9+=_-]{1,64}",
            bob in "[a-zA-Z0-9+=_-]{1,64}",
            domain in "[a-z\u{fc}]{1,30}\\.example",
        ) {
            let base = format!("{base}@{}", labels.join("."));
            let path = ReturnPath::Verp(base.parse().unwrap());
            prop_assert_eq!(path.fault(), None);
            let address = |local: &str| format!("{local}@{domain}").parse::<Address>().unwrap();
            let (ann, bob) = (address(&ann), address(&bob));
            let made = path.of(&ann);
            prop_assert_ne!(made.as_str(), base);
            prop_assert!(made.as_str().is_ascii());
            prop_assert_eq!(made == path.of(&bob), ann == bob);
            if let Some(said) = path.recipient(&made) {
                prop_assert_eq!(said, ann);
            }
        }
    }
}
