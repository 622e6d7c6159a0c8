//! What must hold for any input. Compiled into the tests of the crate and, file by file, into the fuzz targets.

mod addresses;
mod letter;
mod mails;
mod mime;
mod replies;

pub(crate) use addresses::check_address;
pub(crate) use letter::Letter;
pub(crate) use mails::check_mail;
pub(crate) use replies::check_replies;
