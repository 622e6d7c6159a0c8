//! A mail in its wire form: headers written per recipient, the body encoded once.

mod bodies;
mod body;
mod date;
mod encoded_word;
mod envelope;
mod field;
mod mailbox;
mod message;

pub(crate) use bodies::{Bodies, EncodedBody};
pub(crate) use envelope::Envelope;
pub(crate) use message::{Unsendable, write_head};

#[cfg(test)]
mod tests;
