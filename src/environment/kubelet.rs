//! The kubelet's own memory of a pod: what runs, how often it ran, and how
//! long it waits before it runs again.

use super::Life;
use crate::api::{Key, Pod, Resources, RestartPolicy, Uid};
use crate::time::{SimTime, Span};

/// Waits between restarts in place: none before the first, then 10 s doubled
/// up to five minutes; forgotten after a run of ten.
///
/// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CrashLoop {
    failures: u32,
}

impl CrashLoop {
    /// The wait before a container that was killed `now`, because a probe
    /// failed, is started again: it counts from the exit before that one, as
    /// the kubelet has not seen this one yet.
    pub fn next_wait_after_kill(&mut self, last_exit: Option<SimTime>, now: SimTime) -> Span {
        let Some(last_exit) = last_exit else { return Span::ZERO };
        let since = now.since(last_exit);
        let wait = self.next_wait(since);
        if since >= wait { Span::ZERO } else { wait }
    }

    /// The wait before a container that ran for `ran` is started again.
    pub fn next_wait(&mut self, ran: Span) -> Span {
        if ran >= Span::from_secs(600) {
            self.failures = 0;
        }
        let wait = match self.failures {
            0 => 0,
            n => 10_u64.checked_shl(n - 1).unwrap_or(u64::MAX).min(300),
        };
        self.failures = (self.failures + 1).min(32);
        Span::from_secs(wait)
    }
}

/// What follows when a container has exited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The pod is over.
    Finished {
        /// Whether it ended well.
        succeeded: bool,
    },
    /// The container starts again after a wait.
    RestartAfter(Span),
    /// The pod was being deleted: its termination is over.
    Terminated,
}

/// How a termination ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// How long it takes.
    pub after: Span,
    /// The exit code; 137 if the grace period ran out first.
    pub exit_code: i32,
}

/// What the kubelet knows of a pod.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// Whose runtime this is.
    pub uid: Uid,
    /// The pod's top-level owner, for profiles.
    pub workload: std::sync::Arc<str>,
    /// The stable name under which delays are drawn.
    pub subject: std::sync::Arc<str>,
    /// Whether a container runs.
    pub running: bool,
    /// Whether the application accepts requests now and serves them: from
    /// ready until it exits, as far as nothing more is said about it.
    pub answers: bool,
    /// Whether the controllers have said that it is not ready, because of its
    /// node, while its kubelet knows better.
    pub overruled: bool,
    /// How many pods its Job had created for the same work before it.
    pub attempt: u32,
    /// How often containers were started.
    pub starts: u32,
    /// Counts starts and exits, so that timers of an earlier start are seen
    /// to be stale.
    pub epoch: u16,
    /// When the containers were last started.
    pub started_at: SimTime,
    /// The wait before the next restart in place.
    pub crash_loop: CrashLoop,
    /// The exit code that a termination in progress will end with.
    pub end_code: Option<i32>,
    /// Whether that is because its kubelet evicts it.
    pub evicted: bool,
    /// The node whose room the pod takes.
    pub takes_room_on: Option<Key>,
    /// How much of it.
    pub requests: Resources,
    /// Which Job of its CronJob it works for.
    pub job: Option<u32>,
    /// Which of its effects the run in progress has yet to have, as bits.
    pub pending_effects: u64,
    /// When its container last exited.
    pub last_exit: Option<SimTime>,
    /// When its kubelet last took it in.
    pub taken_in: SimTime,
    /// What is played of the manifest's account of its life.
    pub life: Option<Box<Life>>,
    /// Steps that were put off while the machine stood still.
    put_off: Vec<PutOff>,
    /// By how much the end of the termination in progress was put off.
    end_put_off: Span,
}

/// The machine stood still: steps of one count go on under another.
#[derive(Clone, Copy, Debug)]
struct PutOff {
    from: u16,
    to: u16,
    by: Span,
}

impl Runtime {
    /// A pod that the kubelet has not seen yet.
    pub fn new(uid: Uid, workload: std::sync::Arc<str>, subject: std::sync::Arc<str>) -> Runtime {
        Runtime {
            uid,
            workload,
            subject,
            running: false,
            answers: false,
            overruled: false,
            attempt: 0,
            starts: 0,
            epoch: 0,
            started_at: SimTime::ZERO,
            crash_loop: CrashLoop::default(),
            end_code: None,
            evicted: false,
            takes_room_on: None,
            requests: Resources::default(),
            job: None,
            pending_effects: 0,
            last_exit: None,
            taken_in: SimTime::ZERO,
            life: None,
            put_off: Vec::new(),
            end_put_off: Span::ZERO,
        }
    }

    /// The machine stands still: whatever is due comes so much later.
    pub fn put_off(&mut self, by: Span) {
        let from = self.epoch;
        let to = self.next_epoch();
        self.put_off.push(PutOff { from, to, by });
        if self.end_code.is_some() {
            self.end_put_off = Span(self.end_put_off.0 + by.0);
        }
    }

    /// By how much a step of this count was put off, and the count it has now.
    pub fn was_put_off(&self, epoch: u16) -> Option<(u16, Span)> {
        self.put_off.iter().find(|put_off| put_off.from == epoch).map(|put_off| (put_off.to, put_off.by))
    }

    /// By how much the end of a termination was put off since it was asked
    /// last.
    pub fn take_end_put_off(&mut self) -> Span {
        std::mem::take(&mut self.end_put_off)
    }

    /// Makes the timers of the present start stale.
    pub fn next_epoch(&mut self) -> u16 {
        self.epoch = self.epoch.wrapping_add(1);
        self.epoch
    }

    /// What follows when the container exits with `code`.
    pub fn after_exit(&mut self, pod: &Pod, code: i32, now: SimTime) -> Ending {
        if pod.meta.is_deleting() {
            return Ending::Terminated;
        }
        match pod.template.restart_policy {
            RestartPolicy::Never => Ending::Finished { succeeded: code == 0 },
            RestartPolicy::OnFailure if code == 0 => Ending::Finished { succeeded: true },
            _ => {
                let killed = self.life.as_mut().is_some_and(|life| std::mem::take(&mut life.killed));
                let last_exit = self.last_exit.replace(now);
                Ending::RestartAfter(match killed {
                    true => self.crash_loop.next_wait_after_kill(last_exit, now),
                    false => self.crash_loop.next_wait(now.since(self.started_at)),
                })
            }
        }
    }

    /// How the termination of a pod goes: as long as it takes, at most the
    /// grace period, and not at all if nothing runs.
    ///
    /// `takes` is `None` for a container that ignores SIGTERM.
    pub fn termination(&self, takes: Option<Span>, grace_seconds: u32, last_exit: Option<i32>) -> End {
        let grace = Span::from_secs(u64::from(grace_seconds));
        let exit_code = if takes.is_some_and(|takes| takes < grace) { 143 } else { 137 };
        if self.running {
            return End { after: takes.map_or(grace, |takes| takes.min(grace)), exit_code };
        }
        // Waiting for a restart: the last exit stands. Never started: as if
        // it had been told to stop.
        let exit_code = if self.starts > 0 { last_exit.unwrap_or(exit_code) } else { exit_code };
        End { after: Span::ZERO, exit_code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_wait_longer_and_longer() {
        let mut backoff = CrashLoop::default();
        let short = Span::from_secs(5);
        let waits: Vec<u64> = (0..8).map(|_| backoff.next_wait(short).as_ms() / 1000).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(backoff.next_wait(Span::from_secs(600)), Span::ZERO, "a long run is forgiven");
        assert_eq!(backoff.next_wait(short), Span::from_secs(10));
    }

    #[test]
    fn killed_containers_wait_from_the_fifth_time_on() {
        // A boot loop: killed 30 s after each start.
        let mut backoff = CrashLoop::default();
        let (mut now, mut last) = (SimTime::ZERO, None);
        let mut waits = Vec::new();
        for _ in 0..7 {
            now = now.after(Span::from_secs(30));
            let wait = backoff.next_wait_after_kill(last, now);
            last = Some(now);
            now = now.after(wait);
            waits.push(wait.as_ms() / 1000);
        }
        assert_eq!(waits, [0, 0, 0, 0, 40, 80, 160]);
    }

    #[test]
    fn a_termination_ends_with_the_grace_period_at_the_latest() {
        let mut pod = Runtime::new(Uid(1), "web".into(), "web".into());
        assert_eq!(pod.termination(Some(Span::from_secs(2)), 30, None), End { after: Span::ZERO, exit_code: 143 });
        pod.running = true;
        pod.starts = 1;
        let end = |takes, grace| pod.termination(takes, grace, None);
        assert_eq!(end(Some(Span::from_secs(2)), 30), End { after: Span::from_secs(2), exit_code: 143 });
        assert_eq!(end(Some(Span::from_secs(30)), 30), End { after: Span::from_secs(30), exit_code: 137 });
        assert_eq!(end(None, 30), End { after: Span::from_secs(30), exit_code: 137 });
    }
}
