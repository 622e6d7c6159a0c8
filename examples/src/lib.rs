//! Programs that embed mailer. The first one is the binary `campaign`.

/// The examples of the workspace's README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
