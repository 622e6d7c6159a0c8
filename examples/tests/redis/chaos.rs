//! The short form of `scripts/chaos`: leases and outages pass ten times faster than they do.

use crate::program::Place;

async fn keeps_every_promise(args: &[&str]) {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_chaos");
    let common = ["--recipients", "1500", "--workers", "3", "--speed", "10"];
    let args: Vec<&str> = common.iter().chain(args).copied().collect();
    let ended = crate::program::ended(place.start_program(program, &args)).await;
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    println!("{}", ended.stdout);
}

#[tokio::test]
async fn kills_of_workers_and_of_redis_leave_nobody_out_and_nobody_twice() {
    let args = ["--trouble", "restarts", "--on-unknown", "assume-sent"];
    keeps_every_promise(&[&args[..], &["--trouble-for", "6", "--within", "45"]].concat()).await;
}

#[tokio::test]
async fn outages_leave_nothing_in_doubt() {
    let args = ["--trouble", "outages", "--on-unknown", "assume-sent"];
    keeps_every_promise(&[&args[..], &["--within", "45"]].concat()).await;
}
