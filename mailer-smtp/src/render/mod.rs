//! A mail in its wire form: headers written per recipient, the body encoded once.

mod bodies;
mod body;
mod date;
mod encoded_word;
mod envelope;
mod field;
mod mailbox;
mod message;
#[cfg(feature = "lettre-transport")]
mod plain;

pub(crate) use bodies::{Bodies, EncodedBody};
pub(crate) use envelope::Envelope;
pub(crate) use message::{Unsendable, write_head};
#[cfg(feature = "lettre-transport")]
pub(crate) use plain::{ascii_domain, plain};

#[cfg(test)]
mod tests;
