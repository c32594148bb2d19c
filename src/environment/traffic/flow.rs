//! How the requests for one Service divide among its pods.
//!
//! Pods that stand alike form a group, and only groups are looked at: a
//! Service of five thousand pods costs no more than one of five.

use super::PodPower;
use super::meter::{Amounts, GroupMeter, PodMeter, Reading};
use crate::time::SimTime;

/// Whether requests go to a pod.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Way {
    /// No.
    #[default]
    None,
    /// Yes.
    Open,
    /// Only if no pod is open: kube-proxy falls back to pods that are being
    /// deleted and are still ready.
    ///
    /// Upstream: `pkg/proxy/topology.go CategorizeEndpoints`
    Last,
}

/// How a pod stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Standing {
    /// Its revision, by the number that its Flow gave it.
    pub revision: u32,
    /// Whether requests go to it.
    pub way: Way,
    /// Whether it answers.
    pub answers: bool,
    /// Whether it is warming up.
    pub cold: bool,
    /// Whether its containers run.
    pub runs: bool,
}

/// What becomes of the requests, in millionths of a request a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    /// Pods that requests go to.
    pub routable: u32,
    /// Those of them that do not answer.
    pub dead_ends: u32,
    /// Pods that answer.
    pub serving: u32,
    /// What clients send.
    pub requests: u64,
    /// What pods could serve that requests go to and that answer; absent if
    /// that is without limit.
    pub capacity: Option<u64>,
    /// What nobody answers.
    pub refused: u64,
    /// What is more than pods can serve.
    pub shed: u64,
    /// What is answered with an error.
    pub errors: u64,
}

/// The same of the pods of one revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RevisionRates {
    /// Pods that requests go to.
    pub routable: u32,
    /// What goes to its pods.
    pub requests: u64,
    /// What of it fails, for whatever reason.
    pub failed: u64,
    /// What is answered with an error.
    pub errors: u64,
}

/// Pods that stand alike.
#[derive(Clone, Debug, Default)]
struct Group {
    standing: Standing,
    pods: u32,
    /// What each of them serves.
    served: u64,
    meter: GroupMeter,
}

/// The requests for one Service.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    demand: u64,
    groups: Vec<Group>,
    /// Millionths of the answers that are errors, by revision.
    error_shares: Vec<u32>,
    rates: Rates,
    of_revisions: Vec<RevisionRates>,
}

/// A share of a number, rounded down.
fn share(of: u64, part: u64, whole: u64) -> u64 {
    (u128::from(of) * u128::from(part) / u128::from(whole.max(1))) as u64
}

impl Flow {
    /// A new revision with its share of errors, in millionths.
    pub fn add_revision(&mut self, error_share: u32) -> u32 {
        self.error_shares.push(error_share);
        self.of_revisions.push(RevisionRates::default());
        self.error_shares.len() as u32 - 1
    }

    /// A pod comes, stands otherwise, or goes. Answers its new group. What
    /// that does to the rates is seen at the next [`settle`](Flow::settle),
    /// which must come before time goes on.
    pub fn place(
        &mut self,
        group: Option<usize>,
        standing: Option<Standing>,
        meter: &mut PodMeter,
        now: SimTime,
    ) -> Option<usize> {
        if let Some(old) = group.and_then(|group| self.groups.get_mut(group)) {
            old.pods -= 1;
        }
        let standing = standing?;
        let alike = self.groups.iter().position(|group| group.standing == standing);
        let new = alike.or_else(|| self.groups.iter().position(|group| group.pods == 0)).unwrap_or_else(|| {
            self.groups.push(Group::default());
            self.groups.len() - 1
        });
        meter.moved(group.map(|group| &self.groups[group].meter), &self.groups[new].meter, now);
        self.groups[new].standing = standing;
        self.groups[new].pods += 1;
        Some(new)
    }

    /// How the pods of a group stand.
    pub fn standing(&self, group: usize) -> Standing {
        self.groups[group].standing
    }

    /// What each pod of a group serves.
    pub fn served_by_each(&self, group: usize) -> u64 {
        self.groups[group].served
    }

    /// What a metrics server shows of a pod of a group.
    pub fn read(&self, group: usize, meter: &PodMeter, now: SimTime) -> Option<Reading> {
        meter.read(&self.groups[group].meter, now)
    }

    /// The rates since they were last settled.
    pub const fn rates(&self) -> &Rates {
        &self.rates
    }

    /// The same by revision.
    pub fn of_revisions(&self) -> &[RevisionRates] {
        &self.of_revisions
    }

    /// What clients send.
    pub const fn set_demand(&mut self, demand: u64) {
        self.demand = demand;
    }

    /// Divides the requests anew, from now on.
    ///
    /// Every pod that requests go to gets the same share, whether it answers
    /// or not: nobody who sends a request knows.
    pub fn settle(&mut self, power: &PodPower, now: SimTime) {
        let count = |way: Way| self.groups.iter().filter(|g| g.standing.way == way).map(|g| g.pods).sum::<u32>();
        let (open, last) = (count(Way::Open), count(Way::Last));
        let (way, routable) = if open > 0 { (Way::Open, open) } else { (Way::Last, last) };
        let mut rates = Rates { routable, requests: self.demand, capacity: Some(0), ..Rates::default() };
        self.of_revisions.iter_mut().for_each(|rates| *rates = RevisionRates::default());
        let mut before = 0;
        for group in &mut self.groups {
            let Standing { revision, answers, cold, runs, .. } = group.standing;
            let pods = u64::from(group.pods);
            rates.serving += if answers { group.pods } else { 0 };
            // Shares of neighbours meet, so that they add up.
            let own = if group.standing.way == way { pods } else { 0 };
            let upto = |n: u64| share(self.demand, n, u64::from(routable));
            let sent = upto(before + own) - upto(before);
            before += own;
            let room = power.capacity(cold).map(|each| each.saturating_mul(own));
            let served = if answers { room.map_or(sent, |room| room.min(sent)) } else { 0 };
            let errors = share(served, u64::from(self.error_shares[revision as usize]), 1_000_000);
            group.served = served / pods.max(1);
            let got = if answers { sent / pods.max(1) } else { 0 };
            let cpu = power.cpu(runs, cold, group.served);
            group.meter.set(now, Amounts { cpu: i128::from(cpu), requests: i128::from(got) });
            if own == 0 {
                continue;
            }
            if answers {
                rates.shed += sent - served;
                rates.errors += errors;
                rates.capacity = rates.capacity.zip(room).map(|(sum, room)| sum.saturating_add(room));
            } else {
                rates.refused += sent;
                rates.dead_ends += group.pods;
            }
            let of_revision = &mut self.of_revisions[revision as usize];
            of_revision.routable += group.pods;
            of_revision.requests += sent;
            of_revision.failed += sent - served + errors;
            of_revision.errors += errors;
        }
        if routable == 0 {
            rates.refused = self.demand;
        }
        if power.capacity(false).is_none() && power.capacity(true).is_none() {
            rates.capacity = None;
        }
        self.rates = rates;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ONE, WarmUp};
    use super::*;
    use crate::environment::Delay;

    const NOW: SimTime = SimTime::ZERO;

    fn power() -> PodPower {
        let warm_up = WarmUp { lasts: Delay::Never, capacity: Some(20 * ONE), cpu_milli: 0 };
        PodPower { capacity: Some(50 * ONE), warm_up: Some(warm_up), ..PodPower::default() }
    }

    fn standing(revision: u32, way: Way, answers: bool) -> Standing {
        Standing { revision, way, answers, cold: false, runs: answers }
    }

    fn flow(demand: u64, pods: &[(Standing, u32)]) -> Flow {
        let mut flow = Flow::default();
        flow.add_revision(0);
        flow.add_revision(50_000);
        flow.set_demand(demand);
        for (standing, count) in pods {
            for _ in 0..*count {
                flow.place(None, Some(*standing), &mut PodMeter::default(), NOW);
            }
        }
        flow.settle(&power(), NOW);
        flow
    }

    /// Routable, dead ends, served, refused, shed and errors in requests.
    fn figures(flow: &Flow) -> (u32, u32, u64, u64, u64, u64) {
        let r = flow.rates();
        let served = r.requests - r.refused - r.shed;
        (r.routable, r.dead_ends, served / ONE, r.refused / ONE, r.shed / ONE, r.errors / ONE)
    }

    #[test]
    fn every_pod_gets_the_same_share() {
        let open = standing(0, Way::Open, true);
        let dead = standing(0, Way::Open, false);
        let closed = standing(0, Way::None, true);
        let last = standing(0, Way::Last, true);
        let canary = standing(1, Way::Open, true);
        for (demand, pods, expected) in [
            (200, vec![(open, 4)], (4, 0, 200, 0, 0, 0)),
            (300, vec![(open, 4)], (4, 0, 200, 0, 100, 0)),
            (200, vec![(open, 3), (dead, 1)], (4, 1, 150, 50, 0, 0)),
            (200, vec![(closed, 4)], (0, 0, 0, 200, 0, 0)),
            (200, vec![], (0, 0, 0, 200, 0, 0)),
            (100, vec![(last, 4), (closed, 1)], (4, 0, 100, 0, 0, 0)),
            (100, vec![(last, 4), (open, 2)], (2, 0, 100, 0, 0, 0)),
            (200, vec![(open, 4), (canary, 1)], (5, 0, 200, 0, 0, 2)),
        ] {
            assert_eq!(figures(&flow(demand * ONE, &pods)), expected, "{demand} {pods:?}");
        }
    }

    #[test]
    fn nothing_is_lost_by_rounding() {
        let open = standing(0, Way::Open, true);
        let (dead, canary) = (standing(1, Way::Open, false), standing(1, Way::Open, true));
        let flow = flow(100 * ONE + 1, &[(open, 3), (dead, 2), (canary, 2)]);
        let by_revision: u64 = flow.of_revisions().iter().map(|r| r.requests).sum();
        assert_eq!(by_revision, 100 * ONE + 1);
        assert_eq!(flow.rates().capacity, Some(250 * ONE));
    }

    #[test]
    fn cold_pods_shed_earlier() {
        let cold = Standing { cold: true, ..standing(0, Way::Open, true) };
        let flow = flow(80 * ONE, &[(standing(0, Way::Open, true), 1), (cold, 1)]);
        assert_eq!(figures(&flow), (2, 0, 60, 0, 20, 0));
        assert_eq!(flow.rates().capacity, Some(70 * ONE));
    }

    #[test]
    fn empty_groups_are_used_again() {
        let mut flow = flow(ONE, &[(standing(0, Way::Open, true), 2)]);
        let mut meter = PodMeter::default();
        let mut group = None;
        for revision in 0..2 {
            for answers in [true, false] {
                group = flow.place(group, Some(standing(revision, Way::Open, answers)), &mut meter, NOW);
            }
        }
        assert_eq!(flow.place(group, None, &mut meter, NOW), None);
        assert!(flow.groups.len() <= 4, "{:?}", flow.groups);
    }
}
