use crate::program::Place;

#[tokio::test]
async fn a_simulation_shows_the_timeline_and_sends_nothing() {
    let place = Place::new();
    let args = [
        "simulate",
        "--limit",
        "100/hour",
        "--hours",
        "Mon-Fri 09:00-18:00",
        "--zone",
        "Europe/Moscow",
        "--count",
        "150",
        "--start",
        "2026-11-24T14:30:00Z",
    ];
    let ended = place.run(&args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("rate_per_hour"), "{ended:?}");
    assert!(ended.stdout.contains("2026-11-25 09:00"), "{ended:?}");
    assert!(!place.path().join("outbox").exists());

    let ended = place.run(&[&args[..], &["--json"]].concat()).await;
    let last = ended.stdout.lines().last().unwrap();
    let json: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(json["finished_at"], "2026-11-25T06:00:00Z");
}

#[tokio::test]
async fn without_a_count_it_takes_that_of_the_file() {
    let place = Place::new();
    let recipients = place.recipients(7);
    let ended = place
        .run(&["simulate", "--recipients", &recipients, "--json"])
        .await;
    assert!(ended.stdout.contains("\"recipients\":7"), "{ended:?}");
    let ended = place.run(&["simulate", "--start", "tomorrow"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("tomorrow"), "{ended:?}");
}
