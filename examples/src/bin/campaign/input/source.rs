//! The recipients' file as text.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fs, io};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RecipientsError {
    #[error("--recipients {path:?} cannot be read: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{file}, line {line}: byte {byte:#04x} is not UTF-8: save the file as UTF-8")]
    NotUtf8 { file: String, line: u64, byte: u8 },
    #[error(
        "{file} is empty: it needs a header row with a column email, and a row for every recipient"
    )]
    Empty { file: String },
    #[error("{file} has no column email; its columns are {columns}")]
    NoEmail { file: String, columns: String },
    #[error("{file} has the column {column:?} twice: every column needs a name of its own")]
    ColumnTwice { file: String, column: String },
    #[error("{file} has no rows below its header")]
    NoRows { file: String },
    #[error("{file} has no row that can be sent to: {refused} of {refused} are refused")]
    NoGoodRow { file: String, refused: u64 },
    #[error("{file} has bad rows ({refused}), and --strict allows none: nothing is sent")]
    Strict { file: String, refused: u64 },
    #[error("{file}: {error}")]
    Csv { file: String, error: csv::Error },
    #[error("the template uses {fields}, but {file} has no such column; its columns are {columns}")]
    NoColumn {
        file: String,
        fields: String,
        columns: String,
    },
}

/// The whole text, and the name under which it is shown.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) text: Cow<'static, str>,
    pub(super) file: String,
}

impl Source {
    /// The examples, which are part of the program.
    pub(super) fn example() -> Self {
        Self {
            text: Cow::Borrowed(include_str!("../../../../data/recipients.csv")),
            file: "examples/data/recipients.csv".to_owned(),
        }
    }

    /// Reads a file whole, so that what was checked is what is sent.
    pub(super) fn read(path: &Path) -> Result<Self, RecipientsError> {
        let file = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| RecipientsError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            RecipientsError::NotUtf8 {
                line: line_at(bytes, valid),
                byte: bytes.get(valid).copied().unwrap_or_default(),
                file: file.clone(),
            }
        })?;
        Ok(Self {
            text: Cow::Owned(text),
            file,
        })
    }
}

/// The number of the line that holds this byte, from 1.
pub(super) fn line_at(bytes: &[u8], offset: usize) -> u64 {
    let before = bytes.get(..offset).unwrap_or(bytes);
    1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64
}
