//! An SMTP server that behaves well until a rule says otherwise.

mod body;
mod builder;
mod command;
mod listener;
mod log;
mod record;
mod reply;
mod rule;
mod script;
mod server;
mod session;
mod transaction;
mod wire;

pub use builder::SmtpServerBuilder;
pub(crate) use builder::{Keep, Keeping};
pub use record::{Command, Connection, Outcome, Transaction};
pub use reply::Reply;
pub use rule::{Rule, Stage};
pub use server::SmtpServer;
