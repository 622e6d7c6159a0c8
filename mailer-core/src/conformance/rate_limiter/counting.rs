use super::{demand, reserve, take, used};
use crate::conformance::Harness;
use crate::domain::{Lane, Scope};
use crate::limiter::Demand;

/// A demand takes all that is asked for, or all that is left; never more.
pub async fn grants_as_much_as_there_is(harness: &Harness) {
    assert_eq!(take(harness, "a", 40, &["100/hour"]).await, 40);
    assert_eq!(take(harness, "b", u32::MAX, &["100/hour"]).await, 60);
    assert_eq!(take(harness, "c", 1, &["100/hour"]).await, 0);
    assert_eq!(used(harness, "100/hour").await, 100);
}

/// However many ask at once: the cap, and all of it.
pub async fn never_grants_more_than_the_cap_to_many_callers(harness: &Harness) {
    let calls = (0..64).map(|caller| {
        let harness = harness.clone();
        async move {
            let mut granted = 0;
            for call in 0..4 {
                granted += take(
                    &harness,
                    format!("{caller}.{call}"),
                    1 + caller % 3,
                    &["100/hour"],
                )
                .await;
            }
            granted
        }
    });
    let granted: u32 = futures_util::future::join_all(calls)
        .await
        .into_iter()
        .sum();
    assert_eq!(granted, 100);
}

/// The limit with the least room decides for all.
pub async fn moves_all_limits_by_the_same_number(harness: &Harness) {
    let limits = ["100/hour", "30/day", "50/10m rolling"];
    assert_eq!(take(harness, "a", 70, &limits).await, 30);
    for limit in limits {
        assert_eq!(used(harness, limit).await, 30, "{limit}");
    }
}

/// Where one limit has nothing, the others keep all.
pub async fn refused_demands_change_nothing(harness: &Harness) {
    assert_eq!(take(harness, "a", 1, &["1/day"]).await, 1);
    assert_eq!(take(harness, "b", 5, &["100/hour", "1/day"]).await, 0);
    assert_eq!(used(harness, "100/hour").await, 0);
    assert_eq!(used(harness, "1/day").await, 1);
}

/// A demand for nothing is a look.
pub async fn asks_for_none_change_nothing(harness: &Harness) {
    assert_eq!(take(harness, "a", 0, &["3/hour"]).await, 0);
    assert_eq!(used(harness, "3/hour").await, 0);
    assert_eq!(take(harness, "b", 9, &["3/hour"]).await, 3);
}

/// Asked again with the same id: the same answer, counted once; also later, and after others have asked.
pub async fn the_same_id_counts_once(harness: &Harness) {
    let first = reserve(harness, demand("a", 40, &["100/hour"])).await;
    take(harness, "b", 10, &["100/hour"]).await;
    harness.pass(super::super::harness::seconds(3)).await;
    let again = reserve(harness, demand("a", 40, &["100/hour"])).await;
    assert_eq!((again.granted, again.use_by), (first.granted, first.use_by));
    assert_eq!(used(harness, "100/hour").await, 50);
}

/// A refund is absolute and counts once.
pub async fn refunds_come_back_once(harness: &Harness) {
    take(harness, "a", 10, &["10/hour", "50/day"]).await;
    for unused in [4, 4, 3, 4] {
        harness.limiter.refund("a", unused).await.unwrap();
    }
    assert_eq!(used(harness, "10/hour").await, 6);
    assert_eq!(used(harness, "50/day").await, 6);
    harness.limiter.refund("a", 5).await.unwrap();
    assert_eq!(take(harness, "b", 100, &["10/hour"]).await, 5);
}

/// More than was granted never comes back.
pub async fn refunds_never_exceed_what_was_granted(harness: &Harness) {
    take(harness, "a", 4, &["10/hour"]).await;
    take(harness, "b", 4, &["10/hour"]).await;
    harness.limiter.refund("a", u32::MAX).await.unwrap();
    assert_eq!(used(harness, "10/hour").await, 4);
}

/// A refund nobody knows the reservation of.
pub async fn refunds_of_unknown_ids_change_nothing(harness: &Harness) {
    take(harness, "a", 4, &["10/hour"]).await;
    harness.limiter.refund("b", 4).await.unwrap();
    assert_eq!(used(harness, "10/hour").await, 4);
}

/// A token comes back to the window it is from, and to no later one.
pub async fn refunds_stay_in_their_window(harness: &Harness) {
    harness.to("2026-11-24T09:59:58Z").await;
    take(harness, "a", 4, &["5/hour", "9/day"]).await;
    harness.to("2026-11-24T10:00:01Z").await;
    take(harness, "b", 2, &["5/hour", "9/day"]).await;
    harness.limiter.refund("a", 4).await.unwrap();
    assert_eq!(used(harness, "5/hour").await, 2);
    assert_eq!(used(harness, "9/day").await, 2);
    assert_eq!(take(harness, "c", 9, &["5/hour"]).await, 3);
}

/// Each scope has a counter of its own, each set of lanes too; a limit does not bind the lanes that it does not name.
pub async fn scopes_and_lanes_are_counted_apart(harness: &Harness) {
    let of = |id: &str, scope: Scope, limit: &str, lane: Lane| Demand {
        lane,
        limits: vec![(limit.parse().unwrap(), scope)],
        ..demand(id, 9, &[])
    };
    for (id, scope) in [
        ("a", Scope::sender("a@b.example")),
        ("b", Scope::sender("c@d.example")),
    ] {
        let granted = reserve(harness, of(id, scope, "5/hour per sender", Lane::Bulk)).await;
        assert_eq!(granted.granted, 5);
    }
    assert_eq!(take(harness, "c", 9, &["5/hour lanes bulk"]).await, 5);
    assert_eq!(take(harness, "d", 9, &["5/hour"]).await, 5);
    let free = of("e", Scope::Namespace, "5/hour lanes bulk", Lane::Test);
    assert_eq!(reserve(harness, free).await.granted, 9);
}

/// The reserved share is kept from bulk, rounded down, and bulk keeps at least one.
pub async fn reserved_tokens_are_kept_from_bulk(harness: &Harness) {
    let of = |id: &str, lane, limit: &str| Demand {
        lane,
        reserved_percent: 25,
        ..demand(id, 100, &[limit])
    };
    assert_eq!(
        reserve(harness, of("a", Lane::Bulk, "10/hour"))
            .await
            .granted,
        8
    );
    assert_eq!(
        reserve(harness, of("b", Lane::Test, "10/hour"))
            .await
            .granted,
        2
    );
    assert_eq!(
        reserve(harness, of("c", Lane::Bulk, "1/day")).await.granted,
        1
    );
}

/// Demands of one call take one after the other.
pub async fn demands_are_served_in_order(harness: &Harness) {
    let demands = [
        demand("a", 4, &["6/hour"]),
        demand("b", 4, &["6/hour"]),
        demand("c", 4, &["6/hour"]),
    ];
    let grants = harness.limiter.reserve(&demands).await.unwrap();
    let granted: Vec<u32> = grants.iter().map(|grant| grant.granted).collect();
    assert_eq!(granted, [4, 2, 0]);
}

/// Nothing limits: all is granted, for a while.
pub async fn without_limits_all_is_granted(harness: &Harness) {
    let grant = reserve(harness, demand("a", 1_000_000, &[])).await;
    assert_eq!((grant.granted, grant.refusal), (1_000_000, None));
    assert!(grant.use_by > harness.now());
}
