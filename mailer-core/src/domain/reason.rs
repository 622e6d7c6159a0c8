//! Why something waits, and why something stopped: closed lists with stable codes.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $text:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A code of a later version.
            Other(String),
        }

        impl $name {
            /// Every known one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, as stored and shown.
            #[must_use]
            pub fn code(&self) -> &str {
                match self {
                    $(Self::$variant => $code,)+
                    Self::Other(code) => code,
                }
            }

            /// The code in words.
            #[must_use]
            pub fn text(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(code) => code,
                }
            }
        }

        impl From<String> for $name {
            fn from(code: String) -> Self {
                match code.as_str() {
                    $($code => Self::$variant,)+
                    _ => Self::Other(code),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.code().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

codes! {
    /// Why a scope waits. The codes are stable; one that is not known here decodes as [`Reason::Other`].
    ///
    /// ```
    /// use mailer_core::domain::Reason;
    ///
    /// assert_eq!(Reason::OutsideHours.code(), "outside_hours");
    /// assert_eq!(Reason::from("rate_per_hour".to_owned()), Reason::RatePerHour);
    /// ```
    Reason {
        /// The working hours are over.
        OutsideHours = "outside_hours", "outside working hours";
        /// A limit per calendar minute is used up.
        RatePerMinute = "rate_per_minute", "the limit per minute is used up";
        /// A limit per calendar hour is used up.
        RatePerHour = "rate_per_hour", "the limit per hour is used up";
        /// A limit per calendar day is used up.
        RatePerDay = "rate_per_day", "the limit per day is used up";
        /// A limit per calendar week is used up.
        RatePerWeek = "rate_per_week", "the limit per week is used up";
        /// A limit per calendar month is used up.
        RatePerMonth = "rate_per_month", "the limit per month is used up";
        /// A rolling limit is used up.
        RateRolling = "rate_rolling", "a rolling limit is used up";
        /// Mails are spread evenly.
        Pacing = "pacing", "mails are spread evenly";
        /// A limit of zero: closed until the policy changes.
        LimitClosed = "limit_closed", "a limit is closed";
        /// The relay has trouble.
        TransientError = "transient_error", "the relay has trouble";
        /// The relay itself asked for patience.
        RelayLimited = "relay_limited", "the relay asked to wait";
        /// The campaign's start has not come.
        Scheduled = "scheduled", "not started yet";
        /// Only recipients that are to be tried again are left.
        RecipientRetry = "recipient_retry", "only retries are left";
        /// The composer cannot make mails at the moment.
        ComposeUnavailable = "compose_unavailable", "the composer is not available";
        /// No worker has the composer.
        ComposerMissing = "composer_missing", "no worker has the composer";
        /// The store has no policy.
        NoPolicy = "no_policy", "no policy is set";
        /// No worker runs.
        NoWorker = "no_worker", "no worker runs";
        /// The limiter does not answer.
        LimiterUnavailable = "limiter_unavailable", "the limiter does not answer";
    }
}

impl Reason {
    /// Whether a new policy version ends a wait of this reason.
    #[must_use]
    pub fn is_of_policy(&self) -> bool {
        matches!(
            self,
            Self::OutsideHours
                | Self::RatePerMinute
                | Self::RatePerHour
                | Self::RatePerDay
                | Self::RatePerWeek
                | Self::RatePerMonth
                | Self::RateRolling
                | Self::Pacing
                | Self::LimitClosed
                | Self::NoPolicy
        )
    }
}

codes! {
    /// Why a campaign was halted: somebody must act before it goes on.
    HaltCause {
        /// The relay refuses the login.
        BadCredentials = "bad_credentials", "the relay refuses the login";
        /// The relay refuses the sender.
        SenderRefused = "sender_refused", "the relay refuses the sender";
        /// No trustworthy TLS connection to the relay.
        TlsRefused = "tls_refused", "no trustworthy connection to the relay";
        /// The relay's name does not exist.
        RelayMissing = "relay_missing", "the relay's name does not exist";
        /// The working hours never open.
        NoOpening = "no_opening", "the working hours never open";
        /// The relay blocks what is sent.
        PolicyBlocks = "policy_blocks", "the relay blocks what is sent";
        /// The store has forgotten what it had confirmed.
        StoreRolledBack = "store_rolled_back", "the store lost data";
        /// The composer cannot make these mails.
        ComposeFailed = "compose_failed", "the mails cannot be composed";
    }
}
