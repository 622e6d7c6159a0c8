//! The small examples do what they say.

use std::fs;

use crate::program::{Ended, Place, ended};

async fn run(place: &Place, program: &str) -> Ended {
    let ended = ended(place.start_program(program, &[])).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

#[tokio::test]
async fn embed() {
    let place = Place::new();
    let ended = run(&place, env!("CARGO_BIN_EXE_embed")).await;
    assert_eq!(ended.stdout, "spring-offer: completed, 2 of 2 sent\n");
    assert_eq!(
        fs::read_dir(place.path().join("outbox")).unwrap().count(),
        2
    );
}

#[tokio::test]
async fn simulate() {
    let ended = run(&Place::new(), env!("CARGO_BIN_EXE_simulate")).await;
    for words in [
        "deferred: rate_per_hour, next run 2026-11-25T06:00:00Z (outside_hours), 100 of 250 sent",
        "completed, 250 of 250 sent",
        "2026-11-25 07:00:00 UTC",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {ended:?}");
    }
}

#[tokio::test]
async fn own_transport() {
    let ended = run(&Place::new(), env!("CARGO_BIN_EXE_own_transport")).await;
    assert_eq!(
        ended.stdout,
        "to Ann <ann@example.com>: Hello Ann\nto Ben <ben@example.com>: Hello Ben\nhello: completed, 2 of 2 sent\n"
    );
}
