//! What scripts other than the limiter's own get from `limits`: bindings that share counters, retiring lines, receipts.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use mailer_core::clock::VirtualClock;
use mailer_core::domain::{Lane, Limit, Scope};
use redis::Script as Compiled;
use testkit::RedisServer;

use super::{call_around, encode};
use crate::args::Args;
use crate::call::{Answer, Caller};
use crate::connection::{Link, RedisConfig};
use crate::micros::Micros;
use crate::reply::Reply;
use crate::script::Script;

macro_rules! script_of {
    ($name:ident, $body:literal) => {
        static $name: Script = Script {
            name: stringify!($name),
            compiled: LazyLock::new(|| {
                Compiled::new(concat!(
                    include_str!("../lua/arguments.lua"),
                    include_str!("../lua/counters.lua"),
                    include_str!("../lua/calendar.lua"),
                    include_str!("../lua/rolling.lua"),
                    include_str!("../lua/pace.lua"),
                    include_str!("../lua/limits.lua"),
                    $body
                ))
            }),
        };
    };
}

// Two bindings: what the one takes is gone for the other.
script_of!(
    SHARED,
    "local first, second = read_lines(), read_lines()
    local ask = limits_load(first) or limits_load(second)
    if ask then return { 0, 0, now, 'ask', ask } end
    local before = limits_free(second)
    limits_take(first, 2)
    local after, narrowest = limits_free(second)
    limits_write()
    return { 0, 0, now, 'done', before, after, narrowest, second[narrowest].index, second[narrowest].scope,
      second[narrowest].reason, limits_use_by(second) }"
);

// Takes 3 at the instant of the call, and keeps the receipt under a key of its own.
script_of!(
    TAKE,
    "local lines = read_lines()
    local ask = limits_load(lines)
    if ask then return { 0, 0, now, 'ask', ask } end
    limits_take(lines, 3)
    limits_write()
    redis.call('SET', P .. 'receipt', cmsgpack.pack({ now, limits_receipt(lines) }))
    return { 0, 0, now, 'done', limits_free(lines) }"
);

// Gives 2 and 2 of them back.
script_of!(
    RETURN,
    "local receipt = cmsgpack.unpack(redis.call('GET', P .. 'receipt'))
    limits_return(receipt[2], 2, receipt[1])
    limits_return(receipt[2], 2, receipt[1])
    limits_write()
    return { 0, 0, now }"
);

// The room of each line on its own.
script_of!(
    ROOM,
    "local lines = read_lines()
    local ask = limits_load(lines)
    if ask then return { 0, 0, now, 'ask', ask } end
    local reply = { 0, 0, now, 'done', #lines }
    for _, line in ipairs(lines) do
      reply[#reply + 1] = limits_free({ line })
    end
    return reply"
);

struct Rig {
    _server: RedisServer,
    clock: VirtualClock,
    caller: Caller,
}

type Line<'a> = (&'a str, Option<&'a str>);

impl Rig {
    async fn new() -> Self {
        let server = RedisServer::builder().start().await.unwrap();
        let clock = VirtualClock::at(at("2026-11-24T12:00:00Z"));
        let config = RedisConfig::new(server.url(), "test");
        let link = Link::open(&config).await.unwrap();
        let namespace = "test".parse().unwrap();
        let own = Some(std::sync::Arc::new(clock.clone()) as _);
        Self {
            _server: server,
            caller: Caller::new(link, namespace, own, String::new()),
            clock,
        }
    }

    async fn call(&self, script: &'static Script, demands: &[&[Line<'_>]]) -> Reply {
        let demands: Vec<Vec<(Limit, Option<DateTime<Utc>>)>> = demands
            .iter()
            .map(|lines| {
                let line = |&(limit, until): &Line<'_>| (limit.parse().unwrap(), until.map(at));
                lines.iter().map(line).collect()
            })
            .collect();
        let answer = call_around(&self.caller, "test", script, |args, around| {
            for demand in &demands {
                let lines: Vec<_> = demand
                    .iter()
                    .map(|(limit, until)| (limit, Scope::Namespace, *until))
                    .collect();
                encode(args, &lines, Lane::Bulk, 0, around);
            }
        });
        let Answer { reply, .. } = answer.await.unwrap();
        reply
    }

    async fn rooms(&self, limits: &[&str]) -> Vec<i64> {
        let lines: Vec<Line<'_>> = limits.iter().map(|&limit| (limit, None)).collect();
        let mut reply = self.call(&ROOM, &[&lines]).await;
        let lines = reply.int().unwrap();
        (0..lines).map(|_| reply.int().unwrap()).collect()
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn bindings_share_the_counters_of_the_limits_they_share() {
    let rig = Rig::new().await;
    let first: &[Line<'_>] = &[("10/hour", None), ("9/s pace", None)];
    let second: &[Line<'_>] = &[
        ("7/hour lanes test", None),
        ("30/day", None),
        ("6/hour", None),
    ];
    let mut reply = rig.call(&SHARED, &[first, second]).await;
    let counts: Vec<i64> = (0..4).map(|_| reply.int().unwrap()).collect();
    assert_eq!(counts, [6, 4, 2, 2]);
    assert_eq!(reply.text().unwrap(), "namespace");
    assert_eq!(reply.text().unwrap(), "rate_per_hour");
    assert_eq!(
        DateTime::from(reply.at().unwrap()),
        at("2026-11-24T12:00:05Z")
    );
    assert_eq!(rig.rooms(&["10/hour", "30/day"]).await, [8, 30]);
}

#[tokio::test]
async fn a_retiring_line_counts_until_its_instant() {
    let rig = Rig::new().await;
    let lines: &[Line<'_>] = &[
        ("5/day@Asia/Tokyo", Some("2026-11-24T15:00:00Z")),
        ("9/day", None),
    ];
    for (now, rooms) in [
        ("2026-11-24T14:59:59.999999Z", 2),
        ("2026-11-24T15:00:00Z", 1),
    ] {
        rig.clock.set_wall(at(now));
        let mut reply = rig.call(&ROOM, &[lines]).await;
        assert_eq!(reply.int().unwrap(), rooms, "{now}");
    }
}

#[tokio::test]
async fn a_receipt_is_enough_to_give_back_to_the_windows_of_then() {
    let rig = Rig::new().await;
    let limits = ["9/hour", "9/60m rolling", "100/s pace"];
    let lines: Vec<Line<'_>> = limits.iter().map(|&limit| (limit, None)).collect();
    rig.call(&TAKE, &[&lines]).await;
    assert_eq!(rig.rooms(&limits).await, [6, 6, 7]);

    rig.clock.set_wall(at("2026-11-24T13:00:00Z"));
    rig.caller
        .call("test", &RETURN, &Args::new())
        .await
        .unwrap();
    assert_eq!(rig.rooms(&limits).await, [9, 9, 10]);
    rig.clock.set_wall(at("2026-11-24T12:59:00Z"));
    assert_eq!(rig.rooms(&limits).await, [9, 9, 10]);
}

#[tokio::test]
async fn an_instant_that_no_window_holds_is_asked_for() {
    let rig = Rig::new().await;
    let limit: Limit = "10/hour".parse().unwrap();
    let (early, late) = (at("2026-11-24T09:00:00Z"), at("2026-11-24T15:00:00Z"));
    for around in [vec![early], vec![late], vec![early, late]] {
        let around: Vec<Micros> = around.into_iter().map(Micros::from).collect();
        let mut args = Args::new();
        let lines = [(&limit, Scope::Namespace, None)];
        encode(&mut args, &lines, Lane::Bulk, 0, &around);
        let answer = rig.caller.call("test", &ROOM, &args).await;
        let Answer { now, mut reply } = answer.unwrap();
        assert_eq!(reply.text().unwrap(), "ask");
        assert_eq!(reply.at().unwrap(), now);
    }
}
