//! A campaign that its relay blocks again and again is stopped before the relay blocks its sender.

use super::term::{BLOCKS_IN_A_ROW, BLOCKS_OF_RECENT, RECENT};

/// The last 50 verdicts on the mails of a campaign: which of them spoke against what was sent.
///
/// A verdict on an address, for or against it, says nothing against the mail. Waits and unknown outcomes are no verdicts.
///
/// ```
/// use mailer_core::schedule::Breaker;
///
/// let mut breaker = Breaker::default();
/// assert!((1..10).all(|_| !breaker.note(true)), "nine blocks in a row may happen");
/// assert!(breaker.note(true), "ten may not");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaker {
    /// One bit for each, the latest lowest.
    recent: u64,
}

impl Breaker {
    /// Takes a verdict in. Returns whether the campaign is to be halted: ten blocks in a row, or more than a fifth of the
    /// last fifty.
    pub const fn note(&mut self, is_block: bool) -> bool {
        self.recent = (self.recent << 1 | is_block as u64) & lowest(RECENT);
        let row = lowest(BLOCKS_IN_A_ROW);
        is_block && (self.recent & row == row || self.recent.count_ones() > BLOCKS_OF_RECENT)
    }
}

const fn lowest(bits: u32) -> u64 {
    (1 << bits) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many of these verdicts, repeated, it trips within 1,000.
    fn trips_after(verdicts: &[bool]) -> Option<usize> {
        let mut breaker = Breaker::default();
        let mut all = verdicts.iter().cycle().take(1_000);
        all.position(|is_block| breaker.note(*is_block))
            .map(|place| place + 1)
    }

    #[test]
    fn it_trips_on_ten_in_a_row_or_on_more_than_a_fifth_of_fifty() {
        let one_in = |n: usize| -> Vec<bool> { (0..n).map(|place| place == n - 1).collect() };
        assert_eq!(trips_after(&[true]), Some(10));
        assert_eq!(trips_after(&one_in(2)), Some(22));
        assert_eq!(trips_after(&one_in(4)), Some(44));
        assert_eq!(trips_after(&one_in(5)), None);
        assert_eq!(trips_after(&[false]), None);
        let nine_and_a_rest = [[true; 9].as_slice(), &[false; 41]].concat();
        assert_eq!(trips_after(&nine_and_a_rest), None);
    }
}
