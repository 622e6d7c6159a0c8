//! What a template names, found without running it: a branch that no trial takes is looked at, too.

/// A name in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named<'a> {
    /// `x|filter`
    Filter(&'a str),
    /// `x is test`
    Test(&'a str),
    /// A variable that may be missing where this stands: `x|default(..)`, `x is defined`.
    Guarded(&'a str),
}

/// Every name that `source` uses in a tag, with its line.
pub(super) fn names(source: &str) -> Vec<(usize, Named<'_>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find('{').map(|found| at + found) {
        let rest = &source[start..];
        at = if rest.starts_with("{#") {
            end_of(source, start, "#}")
        } else if rest.starts_with("{{") || rest.starts_with("{%") {
            let (tokens, end) = tokens(source, start + 2);
            names_of(&tokens, rest.starts_with("{%"), &mut found);
            if matches!(tokens.first(), Some((_, Token::Word("raw")))) && rest.starts_with("{%") {
                end_of(source, end, "endraw")
            } else {
                end
            }
        } else {
            start + 1
        };
    }
    found
        .into_iter()
        .map(|(offset, named)| (line_of(source, offset), named))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Dot,
    Pipe,
    Other,
}

/// The tokens of one tag, and where it ends.
fn tokens(source: &str, start: usize) -> (Vec<(usize, Token<'_>)>, usize) {
    let mut tokens = Vec::new();
    let mut at = start;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        if rest.starts_with("}}") || rest.starts_with("%}") {
            return (tokens, at + 2);
        }
        let length = match c {
            '"' | '\'' => {
                tokens.push((at, Token::Other));
                quoted(rest, c)
            }
            c if is_word(c) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                tokens.push((at, Token::Word(&rest[..length])));
                length
            }
            '|' => {
                tokens.push((at, Token::Pipe));
                1
            }
            '.' => {
                tokens.push((at, Token::Dot));
                1
            }
            // Signs that trim space belong to the tag.
            '-' | '+' if at == start => 1,
            c if c.is_whitespace() => c.len_utf8(),
            c => {
                tokens.push((at, Token::Other));
                c.len_utf8()
            }
        };
        at += length;
    }
    (tokens, source.len())
}

fn names_of<'a>(
    tokens: &[(usize, Token<'a>)],
    is_statement: bool,
    found: &mut Vec<(usize, Named<'a>)>,
) {
    let token = |place: usize| tokens.get(place).map_or(Token::Other, |(_, token)| *token);
    let is_attribute = |place: usize| place > 0 && token(place - 1) == Token::Dot;
    let variable_before =
        |place: usize| match place.checked_sub(1).map(|place| (place, token(place))) {
            Some((place, Token::Word(name))) if !is_attribute(place) => Some(name),
            _ => None,
        };
    for (place, (offset, this)) in tokens.iter().enumerate() {
        match (this, token(place + 1)) {
            (Token::Pipe, Token::Word(filter)) => {
                found.push((*offset, Named::Filter(filter)));
                let before = variable_before(place);
                found.extend(
                    before
                        .filter(|_| matches!(filter, "default" | "d"))
                        .map(|name| (*offset, Named::Guarded(name))),
                );
            }
            (Token::Word("is"), Token::Word(next)) if !is_attribute(place) => {
                let test = match (next, token(place + 2)) {
                    ("not", Token::Word(test)) => test,
                    _ => next,
                };
                found.push((*offset, Named::Test(test)));
                let before = variable_before(place);
                found.extend(
                    before
                        .filter(|_| matches!(test, "defined" | "undefined"))
                        .map(|name| (*offset, Named::Guarded(name))),
                );
            }
            (Token::Word("filter"), Token::Word(filter)) if is_statement && place == 0 => {
                found.push((*offset, Named::Filter(filter)));
            }
            _ => {}
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the quoted text that `rest` starts with.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return offset + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn end_of(source: &str, from: usize, mark: &str) -> usize {
    source[from..]
        .find(mark)
        .map_or(source.len(), |found| from + found + mark.len())
}

pub(super) fn line_of(source: &str, offset: usize) -> usize {
    source[..offset].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::Named::{Filter, Guarded, Test};
    use super::*;

    #[test]
    fn names_are_found_in_every_branch_with_their_lines() {
        for (source, expected) in [
            ("plain { text }", vec![]),
            ("{{ a }}", vec![]),
            ("{{ a|upper }}", vec![(1, Filter("upper"))]),
            (
                "a\n{{- a | x | y(\"|z\") }}",
                vec![(2, Filter("x")), (2, Filter("y"))],
            ),
            ("{% if a is not odd %}{% endif %}", vec![(1, Test("odd"))]),
            ("{# {{ a|no }} #}", vec![]),
            (
                "{% raw %}{{ a|no }}{% endraw %}{{ a|yes }}",
                vec![(1, Filter("yes"))],
            ),
            (
                "{%- filter upper %}x{% endfilter %}",
                vec![(1, Filter("upper"))],
            ),
            (
                "{{ city|default('x') }}",
                vec![(1, Filter("default")), (1, Guarded("city"))],
            ),
            (
                "{% if city is defined %}",
                vec![(1, Test("defined")), (1, Guarded("city"))],
            ),
            ("{{ a.city|d }}", vec![(1, Filter("d"))]),
            (
                "{{ f(city|d) }}",
                vec![(1, Filter("d")), (1, Guarded("city"))],
            ),
        ] {
            assert_eq!(names(source), expected, "{source}");
        }
    }

    #[test]
    fn unfinished_tags_end_with_the_text() {
        for source in [
            "{",
            "{{",
            "{{ a|",
            "{% raw %}",
            "{# a",
            "{{ \"a",
            "{{ 'ü\\",
            "{{ ü|ü",
        ] {
            let _ = names(source);
        }
    }
}
