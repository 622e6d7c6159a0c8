//! The reply of `INFO`, read.

use std::collections::HashMap;

/// The fields of a reply: `name:value` lines.
#[derive(Debug, Default)]
pub(super) struct Info(HashMap<String, String>);

impl Info {
    pub(super) fn parse(text: &str) -> Self {
        let fields = text.lines().filter_map(|line| line.trim().split_once(':'));
        Self(
            fields
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Whether a version such as `7.0.15` is one that has all that the scripts use.
pub(super) fn is_new_enough(version: &str) -> bool {
    let major = version.split('.').next().unwrap_or_default();
    major.parse::<u32>().is_ok_and(|major| major >= 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_headings_passed_over() {
        let info = Info::parse("# Server\r\nredis_version:7.0.15\r\nexecutable:/a:b\r\n\r\n");
        assert_eq!(info.get("redis_version"), Some("7.0.15"));
        assert_eq!(info.get("executable"), Some("/a:b"));
        assert_eq!(info.get("# Server"), None);
    }

    #[test]
    fn seven_is_the_oldest_version() {
        for (version, enough) in [
            ("7.0.0", true),
            ("10.1", true),
            ("6.2.14", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), enough, "{version:?}");
        }
    }
}
