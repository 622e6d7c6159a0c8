//! What the mails say.

use std::path::{Path, PathBuf};
use std::{fs, io};

use mailer_core::domain::Content;
use mailer_core::template::Template;

use crate::args::Options;

const SUBJECT: &str = include_str!("../../../../data/subject.txt");
const TEXT: &str = include_str!("../../../../data/text.txt");
const HTML: &str = include_str!("../../../../data/page.html");

#[derive(Debug, thiserror::Error)]
pub(crate) enum LetterError {
    #[error("--{option} {path:?} cannot be read: {error}")]
    Unreadable {
        option: &'static str,
        path: PathBuf,
        error: io::Error,
    },
}

/// Sender, return path and template as given. Text and HTML are the examples, unless one of them is given.
pub(crate) fn content(options: &Options) -> Result<Content, LetterError> {
    let subject = options.subject.as_deref().unwrap_or(SUBJECT.trim_end());
    let mut template = Template::new(subject);
    if options.text.is_none() && options.html.is_none() {
        template = template.text(TEXT).html(HTML);
    }
    if let Some(path) = &options.text {
        template = template.text(read("text", path)?);
    }
    if let Some(path) = &options.html {
        template = template.html(read("html", path)?);
    }
    let content = Content::new().from(&options.from).template(template);
    Ok(match (&options.return_path, &options.verp) {
        (_, Some(base)) => content.verp(base),
        (Some(address), None) => content.return_path(address),
        (None, None) => content,
    })
}

fn read(option: &'static str, path: &Path) -> Result<String, LetterError> {
    fs::read_to_string(path).map_err(|error| LetterError::Unreadable {
        option,
        path: path.to_owned(),
        error,
    })
}
