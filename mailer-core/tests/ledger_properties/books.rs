//! What must hold after every step.

use std::collections::BTreeMap;

use mailer_core::queue::{
    Claim, ClaimReply, ClaimRequest, DeferQueue, DeliveryQuery, Ledger, Room,
};

use crate::world::World;

impl World {
    /// What was sent is nobody's to send again.
    pub(crate) fn assert_open(&self, claim: &Claim, key: &str) {
        let sent = (claim.binding.stream.to_string(), key.to_owned());
        assert!(
            !self.sent.contains(&sent),
            "{sent:?} was sent, and is handed out"
        );
    }

    pub(crate) async fn check(&self) {
        let mut live = BTreeMap::new();
        for (id, total) in &self.totals {
            let counts = self.store.status(id).await.unwrap().counts;
            assert_eq!(counts.sum(), *total, "{counts:?}");
            assert_eq!(counts.total, *total);
            let mut states: BTreeMap<String, u64> = BTreeMap::new();
            for page in 0.. {
                let query = DeliveryQuery {
                    campaign: id.clone(),
                    page,
                };
                let deliveries = self.store.outcomes(&query).await.unwrap();
                if deliveries.is_empty() {
                    break;
                }
                for delivery in deliveries {
                    let sent = self.sent.contains(&(id.to_string(), delivery.key.clone()));
                    assert!(
                        !sent || delivery.state == "sent",
                        "{} was sent and is {}",
                        delivery.key,
                        delivery.state
                    );
                    *states.entry(delivery.state).or_default() += 1;
                }
            }
            for (state, count) in [
                ("pending", counts.pending),
                ("started", counts.in_flight),
                ("sent", counts.sent),
                ("failed", counts.failed),
                ("retry", counts.retrying),
                ("unknown", counts.unknown),
                ("skipped", counts.skipped),
                ("suppressed", counts.suppressed),
                ("cancelled", counts.cancelled),
            ] {
                assert_eq!(
                    states.get(state).copied().unwrap_or(0),
                    count,
                    "{state} of {id}"
                );
            }
        }
        // Whose claims live only the store knows: asked again, a claim that does shows what is left of it.
        for (claim, ..) in &self.claims {
            let request = ClaimRequest {
                id: claim.id,
                room: Room::default(),
            };
            if let ClaimReply::Claimed(now) = self.store.claim(&request).await.unwrap() {
                for delivery in now.deliveries {
                    let key = (
                        now.binding.stream.to_string(),
                        delivery.record.key().to_owned(),
                    );
                    let other = live.insert(key, claim.id);
                    assert!(
                        other.is_none_or(|other| other == claim.id),
                        "two claims over {:?}",
                        delivery.record
                    );
                }
            }
        }
    }
}
