use std::time::Duration;

/// A relay that asks for more than a day is not waited for that long: the next try will tell.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// The wait in "try again in 5 minutes", "retry after 300 seconds", "wait 1 hour", "in 00:05:00". `text` is lower case.
pub(super) fn retry_after(text: &str) -> Option<Duration> {
    if !["again", "retry", "wait"]
        .iter()
        .any(|word| text.contains(word))
    {
        return None;
    }
    let mut words = text
        .split(|c: char| c.is_whitespace() || ",;()".contains(c))
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        if !matches!(word, "in" | "after" | "wait" | "least" | "for") {
            continue;
        }
        let Some(&amount) = words.peek() else {
            break;
        };
        if let Some(wait) = wait(amount, || words.clone().nth(1)) {
            return Some(wait.min(LONGEST_WAIT));
        }
    }
    None
}

fn wait<'a>(amount: &'a str, next: impl FnOnce() -> Option<&'a str>) -> Option<Duration> {
    if amount.contains(':') {
        let parts = amount.trim_end_matches('.').split(':');
        let seconds = parts.map(str::parse::<u64>).try_fold(0_u64, |sum, part| {
            sum.checked_mul(60)?.checked_add(part.ok()?)
        })?;
        return Some(Duration::from_secs(seconds));
    }
    let digits = amount.bytes().take_while(u8::is_ascii_digit).count();
    let (number, attached) = amount.split_at(digits);
    let unit = if attached.is_empty() {
        next()?
    } else {
        attached
    };
    let unit = match unit.trim_end_matches('.') {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        _ => return None,
    };
    Some(Duration::from_secs(
        number.parse::<u64>().ok()?.checked_mul(unit)?,
    ))
}
