//! A limit on how often something may be done.

use crate::time::{SimTime, Span};

/// So many tokens at once, and a new one each interval. Who finds none waits
/// for the next that nobody else waits for.
///
/// Upstream: `staging/src/k8s.io/client-go/util/flowcontrol/throttle.go NewTokenBucketRateLimiter`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenBucket {
    interval: Span,
    most: Span,
    /// Unused time, in which tokens came that nobody has taken; negative while
    /// somebody waits.
    credit: i64,
    at: SimTime,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens to which one comes each `interval`.
    pub const fn new(burst: u32, interval: Span) -> TokenBucket {
        let most = Span(interval.0 * burst as u64);
        TokenBucket { interval, most, credit: most.0 as i64, at: SimTime::ZERO }
    }

    /// Takes a token and answers how long it must be waited for.
    pub fn take(&mut self, now: SimTime) -> Span {
        self.fill(now);
        self.credit -= self.interval.0 as i64;
        Span(if self.credit < 0 { self.credit.unsigned_abs() } else { 0 })
    }

    /// Takes a token if there is one.
    pub fn try_take(&mut self, now: SimTime) -> bool {
        self.fill(now);
        let there = self.credit >= self.interval.0 as i64;
        if there {
            self.credit -= self.interval.0 as i64;
        }
        there
    }

    fn fill(&mut self, now: SimTime) {
        let passed = i64::try_from(now.since(self.at).0).unwrap_or(i64::MAX);
        self.credit = self.credit.saturating_add(passed).min(self.most.0 as i64);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_each_waits_its_turn() {
        let mut bucket = TokenBucket::new(2, Span::from_ms(50));
        let waits: Vec<u64> = (0..4).map(|_| bucket.take(SimTime::ZERO).as_ms()).collect();
        assert_eq!(waits, [0, 0, 50, 100]);
        assert_eq!(bucket.take(SimTime::from_ms(120)).as_ms(), 30);
        assert!(!bucket.try_take(SimTime::from_ms(150)));
        assert!(bucket.try_take(SimTime::from_ms(200)));
        let many = (0..99).map(|_| bucket.take(SimTime::from_ms(200))).last();
        assert_eq!(many.map(Span::as_ms), Some(4950));
        assert_eq!(bucket.take(SimTime::from_ms(5150)).as_ms(), 50, "what was waited for has come");
        let later = SimTime::from_secs(99);
        assert_eq!([0; 3].map(|_| bucket.take(later).as_ms()), [0, 0, 50], "never more than a burst");
    }
}
