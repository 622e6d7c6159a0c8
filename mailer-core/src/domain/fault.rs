//! A value that is not legal, and the rule it breaks.

use std::fmt;

use serde::Serialize;

/// One illegal value: where it stands, what it is, which rule it breaks.
///
/// ```
/// use mailer_core::domain::Fault;
///
/// let fault = Fault::new("from", "news@", "an address needs a domain after the @");
/// assert_eq!(fault.to_string(), "from \"news@\": an address needs a domain after the @");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    field: String,
    value: String,
    rule: String,
}

impl Fault {
    /// A fault in `field`: its `value` breaks `rule`.
    pub fn new(
        field: impl Into<String>,
        value: impl Into<String>,
        rule: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            value: value.into(),
            rule: rule.into(),
        }
    }

    /// Where the value stands.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The value, as it was given.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The rule that it breaks.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.field, self.value, self.rule)
    }
}

/// The rule for text that becomes part of a header: one line of it, or mail could be forged through it.
pub(crate) const ONE_LINE: &str = "no line break and no NUL is allowed in a header";

/// Whether `text` may stand in a header.
pub(crate) fn is_one_line(text: &str) -> bool {
    !text.contains(['\r', '\n', '\0'])
}
