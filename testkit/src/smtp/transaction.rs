use std::time::Instant;

use super::{
    body::BodyReader,
    command::Path,
    record::{Outcome, Transaction},
};

/// A transaction under way.
#[derive(Debug)]
pub(super) struct OpenTransaction {
    pub(super) from: String,
    pub(super) parameters: String,
    pub(super) to: Vec<String>,
    pub(super) refused: Vec<String>,
    pub(super) body: BodyReader,
}

impl OpenTransaction {
    pub(super) fn new(path: &Path<'_>) -> Self {
        Self {
            from: path.address.to_owned(),
            parameters: path.parameters.to_owned(),
            to: Vec::new(),
            refused: Vec::new(),
            body: BodyReader::default(),
        }
    }

    pub(super) fn end(self, connection: u64, at: Instant, outcome: Outcome) -> Transaction {
        Transaction {
            connection,
            from: self.from,
            parameters: self.parameters,
            to: self.to,
            refused: self.refused,
            body: self.body.into_body(),
            at,
            outcome,
        }
    }
}
