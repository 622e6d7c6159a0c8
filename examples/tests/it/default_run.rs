use std::collections::BTreeSet;
use std::fs;

use crate::program::Place;

#[tokio::test]
async fn the_default_command_sends_a_thousand_mails_and_keeps_them() {
    let place = Place::new();
    let ended = place.run(&[]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("1000 of 1000 sent"), "{ended:?}");
    assert!(ended.stdout.contains("./outbox"), "{ended:?}");

    let mails: Vec<String> = fs::read_dir(place.path().join("outbox"))
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(mails.len(), 1000);
    let header = |mail: &str, name: &str| {
        mail.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
            .unwrap_or_else(|| panic!("no {name} in {mail}"))
    };
    for name in ["Message-ID", "To"] {
        let different: BTreeSet<_> = mails.iter().map(|mail| header(mail, name)).collect();
        assert_eq!(different.len(), 1000, "{name}");
    }
    for name in ["Date", "MIME-Version", "Subject", "From"] {
        header(&mails[0], name);
    }
}

#[tokio::test]
async fn a_second_run_sends_again() {
    let place = Place::new();
    let recipients = place.recipients(3);
    for mails in [3, 6] {
        let ended = place.run(&["run", "--recipients", &recipients]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let kept = fs::read_dir(place.path().join("outbox")).unwrap().count();
        assert_eq!(kept, mails);
    }
}

#[tokio::test]
async fn json_is_the_last_line_and_has_the_names_of_a_status() {
    let place = Place::new();
    let recipients = place.recipients(2);
    let ended = place.run(&["--json", "--recipients", &recipients]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let last = ended.stdout.lines().last().unwrap();
    let json: serde_json::Value = serde_json::from_str(last).unwrap();
    let names: BTreeSet<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = "campaign counts detail finished_at next_run_at policy_version reason_code reason_text since \
                    started_at state submitted_at";
    assert_eq!(names, expected.split_whitespace().collect());
    let counts: BTreeSet<&str> = json["counts"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected =
        "total pending in_flight sent failed retrying unknown suppressed skipped expired cancelled";
    assert_eq!(counts, expected.split_whitespace().collect());
    assert_eq!(
        (&json["state"], &json["counts"]["sent"]),
        (&"completed".into(), &2.into())
    );
}
