//! Pods: what is known of each, and what it adds to the running numbers of its
//! workload, its node and its zone.

use super::super::capacity::ZoneLoad;
use super::super::effects::raise;
use super::super::{NodeLoad, Series, Write};
use super::{Fold, Role};
use crate::api::Resources;
use crate::trace::{Subject, Trace, What};

/// What is known of a pod.
#[derive(Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub(in crate::timeline) struct PodState {
    pub(in crate::timeline) workload: usize,
    pub(in crate::timeline) revision: usize,
    /// Nobody owns it, so it reports its own availability.
    pub(in crate::timeline) alone: bool,
    pub(in crate::timeline) node: Option<usize>,
    pub(in crate::timeline) exists: bool,
    pub(in crate::timeline) ready: bool,
    pub(in crate::timeline) deleting: bool,
    pub(in crate::timeline) finished: bool,
    /// Its containers have started.
    pub(in crate::timeline) started: bool,
    pub(in crate::timeline) restarts: u32,
    /// Which part of the workload's work it does.
    pub(in crate::timeline) part: usize,
    pub(in crate::timeline) attaching: bool,
    pub(in crate::timeline) gated: bool,
    pub(in crate::timeline) named: bool,
    /// What it asks for.
    pub(in crate::timeline) room: Resources,
    /// Its application is known not to serve requests.
    pub(in crate::timeline) silent: bool,
    /// From how many Services it gets requests.
    pub(in crate::timeline) ways: u8,
}

impl PodState {
    pub(super) fn running(&self) -> bool {
        self.exists && self.started && !self.finished
    }

    pub(super) fn active(&self) -> bool {
        self.exists && !self.deleting && !self.finished
    }

    pub(super) fn ready(&self) -> bool {
        self.active() && self.ready
    }

    pub(super) fn serving(&self) -> bool {
        self.ready() && !self.silent
    }

    pub(super) fn on_node(&self) -> bool {
        self.exists && !self.finished && self.node.is_some()
    }

    pub(super) fn terminating(&self) -> bool {
        self.exists && self.deleting && !self.finished
    }

    pub(super) fn pending(&self) -> bool {
        self.exists && !self.finished && self.node.is_none()
    }
}

impl Fold {
    pub(super) fn pod(&mut self, trace: &Trace, id: usize, what: What) {
        if what == What::Killed {
            return self.add(self.pods[id].workload, Series::Killed, 1);
        }
        if matches!(what, What::Answers | What::Silent) {
            self.tell_serving();
        }
        if matches!(what, What::Wrote { .. } | What::Lost { .. }) {
            return self.effect(trace, self.pods[id].workload, what);
        }
        let before = self.pods[id];
        let pod = &mut self.pods[id];
        match what {
            What::Created => pod.exists = true,
            What::Gated { gates } => {
                pod.gated = true;
                let message = format!("waiting for scheduling gates: [{}]", trace.symbols.get(gates));
                self.is_unplaced(before.workload, &message);
            }
            What::Ungated => pod.gated = false,
            What::Bound { node } => {
                pod.node = match self.roles.get(node.0 as usize) {
                    Some(&Role::Node(node)) => Some(node),
                    _ => None,
                };
            }
            What::Running => pod.started = true,
            What::Attaching => pod.attaching = true,
            What::Attached => pod.attaching = false,
            What::Named => pod.named = true,
            What::Unnamed => pod.named = false,
            What::Answers => pod.silent = false,
            What::Silent => pod.silent = true,
            What::Routable { service } => {
                pod.ways += 1;
                if let Some(&Role::Service(service)) = self.roles.get(service.0 as usize) {
                    self.services[service].workloads.insert(before.workload);
                }
            }
            What::Unroutable { .. } => pod.ways = pod.ways.saturating_sub(1),
            What::Ready => pod.ready = true,
            What::Unready => pod.ready = false,
            What::Restarted { count } => pod.restarts = pod.restarts.max(count),
            What::Deleting { .. } => pod.deleting = true,
            What::Succeeded { .. } | What::Failed { .. } => pod.finished = true,
            What::Removed | What::Deleted => pod.exists = false,
            What::Emitted(emitted) => return self.unplaced(trace, before.workload, emitted),
            _ => return,
        }
        let after = self.pods[id];
        if before.exists != after.exists && after.alone {
            self.set(after.workload, Series::Desired, i64::from(after.exists));
            if after.exists {
                self.workloads[after.workload].created = self.now;
            }
        }
        self.count_pod(&before, &after);
    }

    fn effect(&mut self, trace: &Trace, workload: usize, what: What) {
        let (raised, before) = self.ledger.count(what);
        for &series in raised {
            raise(&mut self.workloads[workload].series[series as usize], self.now);
        }
        if let What::Wrote { key } = what {
            let key = trace.symbols.get(key).to_string();
            self.workloads[workload].writes.push(Write { at: self.now, key, before });
        }
    }

    /// From the first record about it on, what serves is counted apart from
    /// what is ready.
    fn tell_serving(&mut self) {
        if !std::mem::replace(&mut self.tells_serving, true) {
            for workload in 0..self.workloads.len() {
                let ready = self.workloads[workload].series[Series::Ready as usize].clone();
                self.workloads[workload].series[Series::Serving as usize] = ready;
            }
        }
    }

    /// A node is in the API from now on, or no longer. It counts as ready until
    /// something else is said.
    pub(in crate::timeline) fn node_comes(&mut self, node: usize, subject: &Subject, comes: bool) {
        let now = self.now;
        let load = &mut self.nodes[node];
        if (load.present.last() == 1) == comes {
            return;
        }
        let unready = load.present.last() - load.ready.last();
        load.present.set(now, i64::from(comes));
        load.ready.set(now, i64::from(comes));
        if !comes {
            load.cordoned.set(now, 0);
            load.evicting.set(now, 0);
        }
        self.capacity.unready.set(now, self.capacity.unready.last() - unready);
        self.capacity.node(&mut self.sums, &subject.room, comes, now);
    }

    /// What a node's condition says.
    pub(super) fn node_ready(&mut self, node: usize, ready: bool) {
        let load: &mut NodeLoad = &mut self.nodes[node];
        if load.present.last() == 0 || (load.ready.last() == 1) == ready {
            return;
        }
        load.ready.set(self.now, i64::from(ready));
        let by = if ready { -1 } else { 1 };
        self.capacity.unready.set(self.now, self.capacity.unready.last() + by);
    }

    /// Counts a pod where it is.
    fn count_ground(&mut self, before: &PodState, after: &PodState) {
        let step = |f: fn(&PodState) -> bool| i64::from(f(after)) - i64::from(f(before));
        let (on, pending) = (step(PodState::on_node), step(PodState::pending));
        if on != 0 || pending != 0 {
            self.capacity.requests(&mut self.sums, &after.room, (on, pending), self.now);
        }
        let (ready, active) = (step(PodState::ready), step(|p| p.on_node() && !p.deleting));
        let Some(node) = after.node.or(before.node).filter(|_| on != 0 || ready != 0 || active != 0) else { return };
        let (zone, now) = (&self.nodes[node].zone, self.now);
        if zone.is_empty() {
            return;
        }
        let zones = &mut self.workloads[after.workload].zones;
        let place = zones.iter().position(|load| load.zone == *zone).unwrap_or_else(|| {
            zones.push(ZoneLoad { zone: zone.clone(), ..ZoneLoad::default() });
            zones.len() - 1
        });
        let load = &mut zones[place];
        for (steps, by) in [(&mut load.on_node, on), (&mut load.ready, ready), (&mut load.active, active)] {
            if by != 0 {
                steps.set(now, steps.last() + by);
            }
        }
    }

    /// Moves the running numbers by what changed about a pod.
    fn count_pod(&mut self, before: &PodState, after: &PodState) {
        let step = |f: fn(&PodState) -> bool| i64::from(f(after)) - i64::from(f(before));
        self.count_ground(before, after);
        let (workload, revision) = (after.workload, after.revision);
        self.add(workload, Series::Existing, step(|p| p.exists));
        self.add(workload, Series::OnNode, step(PodState::on_node));
        self.add(workload, Series::Ready, step(PodState::ready));
        self.add(workload, Series::Terminating, step(PodState::terminating));
        self.add(workload, Series::Pending, step(PodState::pending));
        if before.gated || after.gated {
            self.add(workload, Series::Gated, step(|p| p.gated && p.pending()));
        }
        self.add(workload, Series::Attaching, step(|p| p.attaching && p.on_node()));
        self.add(workload, Series::Dns, step(|p| p.named));
        if self.tells_serving {
            self.add(workload, Series::Serving, step(PodState::serving));
        }
        self.add(workload, Series::Routable, step(|p| p.ways > 0));
        if after.ways > 0 || before.ways > 0 {
            self.add(workload, Series::DeadEnds, step(|p| p.ways > 0 && p.silent));
        }
        let restarts = i64::from(after.restarts) - i64::from(before.restarts);
        self.add(workload, Series::Restarts, restarts);
        self.add(workload, Series::Attempts, restarts + step(|p| p.started));
        let running = step(PodState::running);
        if running != 0 {
            let executions = &mut self.states[workload].executions;
            executions.step(after.part, running > 0);
            let overlap = executions.overlap(self.workloads[workload].kind);
            self.add(workload, Series::Running, running);
            self.set(workload, Series::Overlap, overlap);
        }
        if after.alone {
            self.add(workload, Series::Available, step(PodState::ready));
        }
        let now = self.now;
        let state = &mut self.states[workload].revisions[revision];
        let series = &mut self.workloads[workload].revisions[revision];
        if step(PodState::ready) != 0 {
            state.ready += step(PodState::ready);
            series.ready.set(now, state.ready);
        }
        if step(|p| p.ways > 0) != 0 {
            state.routable += step(|p| p.ways > 0);
            series.routable.set(now, state.routable);
        }
        let leaving = step(|p| p.on_node() && p.terminating());
        if leaving != 0 {
            state.terminating += leaving;
            series.terminating.set(now, state.terminating);
        }
        if step(PodState::on_node) != 0 {
            state.on_node += step(PodState::on_node);
            series.on_node.set(now, state.on_node);
            if let Some(node) = after.node.or(before.node) {
                self.node_pods[node] += step(PodState::on_node);
                self.nodes[node].pods.set(now, self.node_pods[node]);
            }
        }
        if step(PodState::active) != 0 {
            state.active += step(PodState::active);
            self.count_updated(workload);
        }
    }
}
