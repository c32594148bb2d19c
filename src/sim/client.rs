//! The API client of a controller: how many requests it may send, and the
//! Kubernetes Events that it sends beside.

use super::event::Event;
use super::{Simulation, Urgency};
use crate::api::Uid;
use crate::controllers::TokenBucket;
use crate::sim::setup::ClientLimit;
use crate::time::{SECOND, SimTime, Span};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// How many Events about one object are sent at once, and how often one more.
///
/// Upstream: `staging/src/k8s.io/client-go/tools/record/events_cache.go NewEventSourceObjectSpamFilter`
const SPAM: (u32, Span) = (25, Span::from_secs(300));

/// How long an Event takes from the controller to the background task that
/// sends it. The controller is quicker: the first request of its next batch
/// goes before the last Event of the batch before.
const HAND_OVER: Span = Span::from_ns(50);

/// One controller's client. Without a limit it keeps no account.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    limit: Option<TokenBucket>,
    /// Events that wait to be sent, one after the other.
    events: usize,
    /// Whether the first of them has a token, and from when on that is good.
    holds_token: bool,
    token_at: SimTime,
    /// When the background task goes on.
    wakes: Option<SimTime>,
    spam: FxHashMap<Uid, TokenBucket>,
}

impl Client {
    pub(super) fn new(limit: Option<ClientLimit>) -> Client {
        let bucket =
            |limit: ClientLimit| TokenBucket::new(limit.burst, Span(SECOND / u64::from(limit.per_second.max(1))));
        Client { limit: limit.map(bucket), ..Client::default() }
    }

    /// Whether it may send only so many requests in a time.
    pub(super) const fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// Requests that are sent together each wait for a token of their own;
    /// `needed` says how many requests each of them takes. Answers when the
    /// first may go; when the others may is left in `due`, if there is a limit.
    pub(super) fn reserve(
        &mut self,
        now: SimTime,
        needed: impl Iterator<Item = u32>,
        due: &mut VecDeque<SimTime>,
    ) -> SimTime {
        due.clear();
        let Some(limit) = &mut self.limit else { return now };
        for requests in needed {
            let waits = (0..requests.max(1)).map(|_| limit.take(now));
            let wait = waits.last().unwrap_or(Span::ZERO);
            due.push_back(now.after(wait));
            if self.events == 1 && !self.holds_token {
                self.holds_token = true;
                self.token_at = now.after(limit.take(now));
            }
        }
        due.pop_front().unwrap_or(now)
    }

    /// Takes an Event in that is to be sent. Answers when the background task
    /// goes on, if that is news. The Event before has reached it by now.
    fn post(&mut self, about: Uid, now: SimTime) -> Option<SimTime> {
        self.limit?;
        let spam = self.spam.entry(about).or_insert_with(|| TokenBucket::new(SPAM.0, SPAM.1));
        if !spam.try_take(now) {
            return None;
        }
        self.events += 1;
        if self.holds_token {
            return None;
        }
        self.wakes = self.send_events(now, 1).or_else(|| Some(now.after(HAND_OVER)));
        self.wakes
    }

    /// Sends Events until so many are left or one has to wait. Answers until
    /// when.
    fn send_events(&mut self, now: SimTime, left: usize) -> Option<SimTime> {
        let limit = self.limit.as_mut()?;
        while self.events > left {
            let wait = limit.take(now);
            if wait > Span::ZERO {
                self.holds_token = true;
                self.token_at = now.after(wait);
                return Some(self.token_at);
            }
            self.events -= 1;
        }
        None
    }

    /// The background task goes on. Answers when it does so the next time.
    fn sent(&mut self, now: SimTime) -> Option<SimTime> {
        if self.wakes != Some(now) {
            return None;
        }
        if self.holds_token && self.token_at > now {
            self.wakes = Some(self.token_at);
            return self.wakes;
        }
        if self.holds_token {
            self.holds_token = false;
            self.events = self.events.saturating_sub(1);
        }
        self.wakes = self.send_events(now, 0);
        self.wakes
    }
}

impl Simulation {
    /// The controller at work sends a Kubernetes Event about an object.
    pub(super) fn post_event(&mut self, about: Uid) {
        let Some(process) = self.at_work else { return };
        let Some(worker) = self.processes.get_mut(process as usize) else { return };
        if let Some(at) = worker.client.post(about, self.now) {
            self.queue.push(at, Urgency::Normal, Event::Sent { process, epoch: self.epoch });
        }
    }

    /// A Kubernetes Event has been sent, and the next one may follow.
    pub(super) fn event_sent(&mut self, process: u8, epoch: u8) {
        let Some(worker) = self.processes.get_mut(process as usize).filter(|_| epoch == self.epoch) else { return };
        if let Some(at) = worker.client.sent(self.now) {
            self.queue.push(at, Urgency::Normal, Event::Sent { process, epoch });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_events_share_the_tokens() {
        let mut client = Client::new(Some(ClientLimit { per_second: 20, burst: 3 }));
        let (now, mut due) = (SimTime::ZERO, VecDeque::new());
        assert_eq!(client.reserve(now, [1, 1].into_iter(), &mut due), now);
        assert_eq!(due.pop_front().filter(|&at| at > now), None);
        let soon = now.after(HAND_OVER);
        assert_eq!(client.post(Uid(1), now), Some(soon), "no token taken yet");
        assert_eq!(client.post(Uid(1), now), Some(soon), "the one before has gone");
        assert_eq!(client.post(Uid(1), now), Some(SimTime::from_ms(50)));
        assert_eq!(client.post(Uid(1), now), None, "one waits already");
        assert_eq!(client.reserve(now, [2].into_iter(), &mut due), SimTime::from_ms(150));
        assert_eq!(client.sent(soon), None, "it waits for its token by now");
        assert_eq!(client.sent(SimTime::from_ms(50)), Some(SimTime::from_ms(200)));
        assert_eq!(client.sent(SimTime::from_ms(200)), Some(SimTime::from_ms(250)));
        assert_eq!(client.sent(SimTime::from_ms(250)), None);
    }

    #[test]
    fn the_last_event_of_a_batch_lets_one_request_go_first() {
        let mut client = Client::new(Some(ClientLimit { per_second: 20, burst: 3 }));
        let (now, mut due) = (SimTime::ZERO, VecDeque::new());
        assert_eq!(client.reserve(now, [1].into_iter(), &mut due), now);
        let soon = client.post(Uid(1), now).expect("a time");
        assert_eq!(client.reserve(now, [1, 1].into_iter(), &mut due), now);
        assert_eq!(due.pop_front().filter(|&at| at > now), Some(SimTime::from_ms(50)), "the Event has the third token");
        assert_eq!(client.sent(soon), None);
    }

    #[test]
    fn a_client_without_a_limit_never_waits() {
        let mut client = Client::new(None);
        let (now, mut due) = (SimTime::from_secs(1), VecDeque::new());
        assert_eq!((0..99).map(|_| client.reserve(now, [1, 1].into_iter(), &mut due)).max(), Some(now));
        assert_eq!((due.pop_front().filter(|&at| at > now), client.post(Uid(1), now)), (None, None));
    }
}
