//! The share of a limit that a lane may use.

use crate::domain::{Lane, Lanes, Limit};

/// What one lane may use of a limit's cap.
///
/// A reserve of *x* percent keeps `floor(cap × x ÷ 100)` of every cap from `Bulk`, for the lanes that go first. `Bulk`
/// keeps at least 1 of an open limit, and all of a limit that binds it alone.
///
/// ```
/// use mailer_core::domain::{Lane, Limit};
/// use mailer_core::limits::Allowance;
///
/// let limit: Limit = "15/hour".parse()?;
/// assert_eq!(Allowance::new(&limit, Lane::Bulk, 10).own(), 14);
/// assert_eq!(Allowance::new(&limit, Lane::Transactional, 10).own(), 15);
/// # Ok::<(), mailer_core::domain::LimitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    cap: u32,
    own: u32,
}

impl Allowance {
    /// The share of `lane` where `reserved` percent are kept for the lanes before `Bulk`; above 100 counts as 100.
    #[must_use]
    pub fn new(limit: &Limit, lane: Lane, reserved: u8) -> Self {
        let cap = limit.cap();
        let own = match lane {
            Lane::Bulk if limit.lanes() != Lanes::BULK => {
                let kept = u64::from(cap) * u64::from(reserved.min(100)) / 100;
                let kept = u32::try_from(kept).unwrap_or(cap);
                (cap - kept).max(cap.min(1))
            }
            Lane::Bulk | Lane::Transactional | Lane::Test => cap,
        };
        Self { cap, own }
    }

    /// All of the limit.
    #[must_use]
    pub fn whole(limit: &Limit) -> Self {
        Self::new(limit, Lane::Test, 0)
    }

    /// The cap of the limit.
    #[must_use]
    pub const fn cap(self) -> u32 {
        self.cap
    }

    /// How much of the cap the lane may use: 0 only if the cap is 0.
    #[must_use]
    pub const fn own(self) -> u32 {
        self.own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bulk_leaves_the_reserve_but_is_never_shut_out_by_it() {
        for (text, reserved, own) in [
            ("100/hour", 0, 100),
            ("100/hour", 15, 85),
            ("9/hour", 10, 9),
            ("4294967295/hour", 50, 2_147_483_648),
            ("100/hour", 100, 1),
            ("100/hour", 255, 1),
            ("1/hour", 50, 1),
            ("0/hour", 50, 0),
            ("100/hour lanes bulk", 50, 100),
        ] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(
                Allowance::new(&limit, Lane::Bulk, reserved).own(),
                own,
                "{text}"
            );
            assert_eq!(
                Allowance::new(&limit, Lane::Test, reserved).own(),
                limit.cap()
            );
        }
    }
}
