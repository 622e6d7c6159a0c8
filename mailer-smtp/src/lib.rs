#![doc = include_str!("../README.md")]

mod builder;
mod classify;
mod deadline;
mod dial;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod hello;
#[cfg(feature = "lettre-transport")]
mod lettre_bridge;
mod login;
mod mail;
mod memory;
mod relay;
mod render;
mod reply;
mod secret;
mod session;
mod stream;
mod target;
mod time_limits;
mod tls;
mod token;
mod transaction;
mod transport;
mod wire;

// The properties that fuzzing checks name this crate as users do.
#[cfg(test)]
extern crate self as mailer_smtp;

pub use builder::SmtpTransportBuilder;
pub use error::SmtpConfigError;
#[cfg(feature = "lettre-transport")]
pub use lettre_bridge::{from_lettre, from_lettre_judging};
pub use time_limits::TimeLimits;
pub use token::{AccessToken, TokenError, TokenNeed, TokenSource};
pub use transport::SmtpTransport;
