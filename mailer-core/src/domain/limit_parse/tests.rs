use proptest::prelude::*;

use super::*;
use crate::domain::Lane;

fn limit(text: &str) -> Limit {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn canonical_texts_read_back_as_written() {
    for text in [
        "100/hour",
        "0/hour",
        "20/minute",
        "1000/day@Europe/Moscow per sender",
        "5/week",
        "5/month@America/Argentina/Buenos_Aires per campaign",
        "300/60m rolling",
        "300/24h rolling per stream",
        "300/366d rolling",
        "7/90s rolling",
        "7/1s rolling",
        "14/s pace per relay",
        "14/minute pace",
        "14/hour pace",
        "100/hour lanes transactional,bulk",
        "100/hour per relay lanes bulk",
    ] {
        assert_eq!(limit(text).to_string(), text);
        let json = serde_json::to_string(&limit(text)).unwrap();
        assert_eq!(serde_json::from_str::<Limit>(&json).unwrap(), limit(text));
    }
}

#[test]
fn other_spellings_mean_the_same() {
    for (text, canonical) in [
        ("  100/h ", "100/hour"),
        ("0100/h", "100/hour"),
        ("1/min", "1/minute"),
        ("1/m", "1/minute"),
        ("1/d@UTC", "1/day"),
        ("1/w per namespace", "1/week"),
        ("1/day@europe/moscow", "1/day@Europe/Moscow"),
        ("1/sec pace", "1/s pace"),
        ("1/second pace", "1/s pace"),
        ("1/hour rolling", "1/60m rolling"),
        ("1/1h rolling", "1/60m rolling"),
        ("1/120min rolling", "1/2h rolling"),
        ("1/hour lanes bulk per relay", "1/hour per relay lanes bulk"),
        ("1/hour lanes bulk,test,transactional", "1/hour"),
    ] {
        assert_eq!(limit(text).to_string(), canonical);
    }
}

#[test]
fn what_is_no_limit_is_refused_with_its_rule() {
    for (text, rule) in [
        ("", "empty"),
        ("  ", "empty"),
        ("-1/hour", "whole number"),
        ("+1/hour", "whole number"),
        ("/hour", "whole number"),
        ("1e9/hour", "whole number"),
        ("5000000000/hour", "whole number"),
        ("99999999999999999999999/hour", "whole number"),
        ("100", "unit is missing"),
        ("100/", "unit is missing"),
        ("100 /hour", "unit is missing"),
        ("100/fortnight", "unknown unit"),
        ("100/@UTC", "unknown unit"),
        ("100/60é rolling", "unknown unit"),
        ("100/s", "paced"),
        ("100/60m", "write rolling"),
        ("100/hour@Europe/Moscow", "only day, week and month"),
        ("100/minute@UTC", "only day, week and month"),
        ("100/60m@UTC rolling", "only day, week and month"),
        ("100/day@Europe/Atlantis", "unknown time zone"),
        ("100/day@", "unknown time zone"),
        ("0/0m rolling", "1 s to 366 d"),
        ("1/367d rolling", "1 s to 366 d"),
        ("1/99999999999999999999s rolling", "1 s to 366 d"),
        ("1/4294967295w rolling", "1 s to 366 d"),
        ("1/month rolling", "1 s to 366 d"),
        ("1/day pace", "second, minute or hour"),
        ("1/hour per", "needs a word"),
        ("1/hour per galaxy", "unknown kind of scope"),
        ("1/hour per relay per relay", "twice"),
        ("1/hour lanes", "needs a word"),
        ("1/hour lanes slow", "unknown lane"),
        ("1/hour lanes bulk lanes bulk", "twice"),
        ("1/hour for domain example.com", "not supported yet"),
        ("1/hour for you", "no meaning"),
        ("1/hour please", "no meaning"),
        ("1/hour rolling pace", "no meaning"),
    ] {
        let error = text.parse::<Limit>().expect_err(text);
        assert_eq!(error.text(), text);
        assert!(error.to_string().contains(rule), "{error}");
    }
}

#[test]
fn a_kind_made_by_hand_obeys_the_same_rules() {
    let half = Duration::from_millis(1500);
    assert!(Limit::new(1, LimitKind::Rolling { window: half }).is_err());
    let zone = "Europe/Moscow".parse().unwrap();
    let unit = Unit::Hour;
    assert!(Limit::new(1, LimitKind::Calendar { unit, zone }).is_err());
}

#[test]
fn identity_leaves_out_the_cap_alone() {
    assert_eq!(
        limit("9/day@Europe/Moscow per sender").identity(),
        "day@Europe/Moscow per sender"
    );
    assert!(limit("9/hour").same_counter(&limit("8/hour")));
    for other in [
        "9/day",
        "9/hour per relay",
        "9/hour lanes bulk",
        "9/60m rolling",
    ] {
        assert!(!limit("9/hour").same_counter(&limit(other)), "{other}");
    }
}

#[test]
fn one_purpose_may_be_counted_in_several_ways() {
    for (one, other, same) in [
        ("9/hour", "5/60m rolling", true),
        ("9/day", "9/day@Europe/Moscow", true),
        ("9/month", "9/30d rolling", true),
        ("9/hour", "8/hour", false),
        ("9/hour", "9/day", false),
        ("9/hour", "9/60m rolling per relay", false),
        ("9/hour", "9/60m rolling lanes bulk", false),
    ] {
        assert_eq!(
            limit(one).same_purpose(&limit(other)),
            same,
            "{one} {other}"
        );
    }
}

#[test]
fn each_kind_has_its_reason() {
    for (text, code) in [
        ("1/minute", "rate_per_minute"),
        ("1/hour", "rate_per_hour"),
        ("1/day", "rate_per_day"),
        ("1/week", "rate_per_week"),
        ("1/month", "rate_per_month"),
        ("1/7s rolling", "rate_rolling"),
        ("1/s pace", "pacing"),
        ("0/s pace", "limit_closed"),
        ("0/hour", "limit_closed"),
    ] {
        assert_eq!(limit(text).kind().reason_code(limit(text).cap()), code);
    }
}

fn any_limit() -> impl Strategy<Value = Limit> {
    let zone = prop::sample::select(vec!["UTC", "Europe/Moscow", "America/St_Johns"]);
    let kind = prop_oneof![
        prop::sample::select(vec!["minute", "hour"]).prop_map(str::to_owned),
        (prop::sample::select(vec!["day", "week", "month"]), zone)
            .prop_map(|(unit, zone)| format!("{unit}@{zone}")),
        (1_u64..=366 * 86_400).prop_map(|seconds| format!("{seconds}s rolling")),
        (1_u64..=366).prop_map(|days| format!("{days}d rolling")),
        prop::sample::select(vec!["s pace", "minute pace", "hour pace"]).prop_map(str::to_owned),
    ];
    let lanes = prop::sample::subsequence(Lane::ALL.to_vec(), 1..=3);
    (
        any::<u32>(),
        kind,
        prop::sample::select(ScopeKind::ALL.to_vec()),
        lanes,
    )
        .prop_map(|(cap, kind, per, lanes)| {
            let lanes: Vec<&str> = lanes.into_iter().map(Lane::as_str).collect();
            limit(&format!("{cap}/{kind} per {per} lanes {}", lanes.join(",")))
        })
}

proptest! {
    #[test]
    fn a_displayed_limit_reads_back_as_itself(limit in any_limit()) {
        prop_assert_eq!(limit.to_string().parse::<Limit>(), Ok(limit.clone()));
        prop_assert_eq!(limit.to_string(), format!("{}/{}", limit.cap(), limit.identity()));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}", tail in "[0-9a-z/@ ]{0,30}") {
        let _ = text.parse::<Limit>();
        let _ = tail.parse::<Limit>();
    }
}
