//! A session of three mails that is cut at every byte, in either direction, by a goodbye or a reset.

mod judge;
mod room;

use std::sync::Arc;

use testkit::Cut;
use tokio::task::JoinSet;

use room::{Lane, Room, Run};

/// Sessions that are cut at the same time: most of each is waiting for the other side.
const LANES: usize = 12;

const PIPELINED: Room = Room {
    pipelining: true,
    overlap: false,
    tls: false,
    is_hasty: false,
};
const OVERLAPPED: Room = Room {
    overlap: true,
    ..PIPELINED
};
const ONE_BY_ONE: Room = Room {
    pipelining: false,
    ..PIPELINED
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_at_every_byte_with_envelopes_behind_the_dot() {
    let seen = cut_everywhere(OVERLAPPED, 1, 1).await;
    assert!(seen.envelopes_before_the_verdict > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_at_every_byte_with_pipelining() {
    let seen = cut_everywhere(PIPELINED, 1, 7).await;
    assert_eq!(seen.envelopes_before_the_verdict, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_at_every_byte_without_pipelining() {
    let seen = cut_everywhere(ONE_BY_ONE, 1, 7).await;
    assert_eq!(seen.envelopes_before_the_verdict, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_at_many_bytes_under_tls() {
    for room in [OVERLAPPED, PIPELINED, ONE_BY_ONE] {
        cut_everywhere(Room { tls: true, ..room }, 61, 61).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_from_any_byte_on_is_bounded() {
    for room in [OVERLAPPED, PIPELINED, ONE_BY_ONE] {
        let room = Room {
            is_hasty: true,
            ..room
        };
        let (by_client, to_client) = room.lengths().await;
        let from_client = (0..=by_client).step_by(89).map(Cut::from_client);
        let from_server = (0..=to_client).step_by(7).map(Cut::from_server);
        let all = from_client.chain(from_server).map(Cut::by_silence);
        cut_at(room, 90, all.collect()).await;
    }
}

/// What was seen over all positions, so that a test can tell that it has met what it is about.
#[derive(Debug, Default)]
struct Seen {
    unknown: usize,
    transient: usize,
    whole: usize,
    envelopes_before_the_verdict: usize,
}

/// Cuts at every `goodbyes`th byte of both directions by a goodbye, and at every `resets`th by a reset.
async fn cut_everywhere(room: Room, goodbyes: usize, resets: usize) -> Seen {
    let (by_client, to_client) = room.lengths().await;
    let every = |step| {
        let from_client = (0..=by_client).step_by(step).map(Cut::from_client);
        from_client.chain((0..=to_client).step_by(step).map(Cut::from_server))
    };
    let resets = every(resets).map(Cut::by_reset);
    cut_at(room, LANES, every(goodbyes).chain(resets).collect()).await
}

/// Cuts at each of these positions, so many at a time.
async fn cut_at(room: Room, width: usize, positions: Vec<Cut>) -> Seen {
    let positions = Arc::new(positions);
    let mut lanes = JoinSet::new();
    for first in 0..width {
        let positions = Arc::clone(&positions);
        lanes.spawn(async move {
            let mut seen = Seen::default();
            let lane = Lane::start(room).await;
            for cut in positions.iter().skip(first).step_by(width) {
                let run = lane.run(Some(*cut)).await;
                run.judge();
                seen.count(&run);
            }
            seen
        });
    }
    let mut all = Seen::default();
    for seen in lanes.join_all().await {
        all.add(&seen);
    }
    assert!(
        all.unknown > 0 && all.transient > 0 && all.whole > 0,
        "{room:?}: {all:?}"
    );
    all
}

impl Seen {
    fn count(&mut self, run: &Run) {
        let delivered = &run.delivered;
        self.unknown += delivered.count("unknown");
        self.transient += delivered.count("transient_relay");
        self.whole += usize::from(delivered.count("sent") == 3);
        self.envelopes_before_the_verdict += usize::from(run.has_envelope_before_a_verdict());
    }

    fn add(&mut self, other: &Self) {
        self.unknown += other.unknown;
        self.transient += other.transient;
        self.whole += other.whole;
        self.envelopes_before_the_verdict += other.envelopes_before_the_verdict;
    }
}
