//! Clocks, and what happens to the hosts of components.

use super::Compiler;
use super::actions::Context;
use crate::cron;
use crate::scenario::file::{self, ActionEntry, ClockEntry, Paused, Preset, Spec, UpDown};
use crate::scenario::scope::{Refusal, Scope};
use crate::scenario::suggest;
use crate::sim::setup::{Action, Among, ClientLimit, ClockSpec, Clocks, Component, ControlPlane, DRAWN, Workers};
use crate::time::Span;
use std::sync::Arc;

/// What may stand where a component is wanted.
const COMPONENTS: [&str; 3] = ["apiServer", "controllerManager", "scheduler"];

/// How long nobody leads after a leader died: until its lease has run out.
///
/// Upstream: `staging/src/k8s.io/component-base/config/v1alpha1/defaults.go RecommendedDefaultLeaderElectionConfiguration`
const LEASE: Span = Span::from_secs(15);

impl From<&ClockEntry> for ClockSpec {
    fn from(entry: &ClockEntry) -> ClockSpec {
        ClockSpec { offset_ns: entry.offset.ns, drift: entry.drift.0, spread: entry.spread.0 }
    }
}

impl Compiler<'_> {
    /// The clocks that differ from true time.
    pub(super) fn clocks(&mut self, spec: &Spec, scope: &Scope) -> Clocks {
        let mut clocks = Clocks::default();
        // What names one node stands above what names several.
        let mut entries: Vec<_> = spec.clocks.iter().collect();
        entries.sort_by_key(|(name, _)| !name.starts_with("zone/") && !name.contains('*'));
        for (name, entry) in entries {
            let clock = ClockSpec::from(entry);
            match name.as_str() {
                "apiServer" => clocks.api_server = clock,
                "controllerManager" => clocks.controller_manager = clock,
                "scheduler" => clocks.scheduler = clock,
                "kubelets" => clocks.kubelets = clock,
                _ => {
                    let hint = || "a clock is that of apiServer, controllerManager, scheduler, kubelets, or of nodes";
                    let owners = COMPONENTS.into_iter().chain(["kubelets"]);
                    let near = suggest::nearest(name, owners).map(|near| format!("did you mean {near}?"));
                    let plain = !name.contains(['/', '*']);
                    let nodes = scope.nodes(name).map_err(|(message, nodes)| match plain {
                        true => (format!("there is no component or node {name}"), near.or(Some(hint().to_string()))),
                        false => (message, near.or(nodes)),
                    });
                    let nodes = self.check_name(&format!("spec.clocks.{name}"), nodes).unwrap_or_default();
                    clocks.nodes.extend(nodes.into_iter().map(|node| (node.into(), clock)));
                }
            }
        }
        clocks
    }

    /// The time zone of the controller manager, and what is said of it.
    pub(super) fn time_zone(&mut self, spec: &Spec) -> (Option<Arc<str>>, Option<String>) {
        let mut found = None;
        for (name, entry) in &spec.clocks {
            let Some(zone) = &entry.zone else { continue };
            let field = format!("spec.clocks.{name}.zone");
            if name == "controllerManager" {
                found = self.known_zone(&field, zone);
            } else {
                let hint = "only the controller manager reads schedules".to_string();
                self.problem(&field, format!("nobody asks for the time zone of {name}"), Some(hint));
            }
        }
        let said = found.as_ref().map(|zone| {
            format!("the controller manager's host is in {zone}, and schedules without a time zone are read there")
        });
        (found, said)
    }

    /// A time zone by its name, if there is one of this name.
    fn known_zone(&mut self, field: &str, zone: &str) -> Option<Arc<str>> {
        match cron::zone(zone) {
            Ok(_) => Some(zone.into()),
            Err(error) => {
                let near = cron::zone_spelt_like(zone).map(|near| format!("did you mean {near}?"));
                self.problem(field, error, near);
                None
            }
        }
    }

    /// What is done to the hosts that a text means, or to those of nodes that
    /// are drawn when the time comes.
    fn on_each_host(&mut self, name: &str, c: &Context<'_>, verb: impl Fn(Component) -> Action, all: &mut Vec<Action>) {
        let field = format!("{}.{name}", c.field);
        if let Some((share, of)) = self.lot_of_nodes(name, &field) {
            if self.check_name(&field, c.scope.could_be_nodes(of)).is_some() {
                let actions = vec![(Span::ZERO, verb(Component::Node(DRAWN.into())))];
                all.push(c.lot(share, Among::Nodes(of.to_string()), actions));
            }
            return;
        }
        let found = self.check_name(&field, components(name, c.scope));
        all.extend(found.unwrap_or_default().into_iter().map(verb));
    }

    /// What happens to hosts.
    pub(super) fn on_hosts(&mut self, e: &ActionEntry, c: &Context<'_>, all: &mut Vec<Action>) {
        for (name, by) in e.clock_step.iter().flatten() {
            let step = |component| Action::ClockStep { component, by_ns: by.ns };
            self.on_each_host(name, c, step, all);
        }
        for failed in e.failover.iter().flat_map(|f| &f.0) {
            let component = match failed.component.as_str() {
                "controllerManager" => Component::ControllerManager,
                "scheduler" => Component::Scheduler,
                other => {
                    let hint = "write controllerManager or scheduler".to_string();
                    self.problem(&c.field, format!("`{other}` has no leader that could fail over"), Some(hint));
                    continue;
                }
            };
            let zone = match &failed.clock.zone {
                Some(_) if component != Component::ControllerManager => {
                    let hint = "only the controller manager reads schedules".to_string();
                    self.problem(&c.field, format!("nobody asks for the time zone of {component}"), Some(hint));
                    None
                }
                Some(zone) => self.known_zone(&c.field, zone),
                None => None,
            };
            let gap = failed.gap.map_or(LEASE, |gap| gap.0);
            all.push(Action::Failover { component, gap, clock: ClockSpec::from(&failed.clock), zone });
        }
        if let Some(Paused::Hosts(hosts)) = &e.pause {
            for (name, span) in hosts {
                if span.0 == Span::ZERO {
                    self.problem(&format!("{}.{name}", c.field), "this must be longer than 0", None);
                }
                let pause = |component| Action::Pause { component, span: span.0 };
                self.on_each_host(name, c, pause, all);
            }
        }
        all.extend(e.controllers.map(|state| match state {
            UpDown::Up => Action::ControllersUp,
            UpDown::Down => Action::ControllersDown,
        }));
        all.extend(e.api_server.map(|state| match state {
            UpDown::Up => Action::ApiServerUp,
            UpDown::Down => Action::ApiServerDown,
        }));
        all.extend(e.webhook.map(|state| Action::Webhook { up: state == UpDown::Up }));
    }
}

impl Compiler<'_> {
    /// The control plane, and what is said of it if it is not an ideal one.
    pub(super) fn control_plane(&mut self, entry: &file::ControlPlane) -> (ControlPlane, Option<String>) {
        for (name, wrong) in [
            ("qps", entry.client_limits.is_some_and(|limit| limit.qps == 0)),
            ("burst", entry.client_limits.is_some_and(|limit| limit.burst == 0)),
        ] {
            if wrong {
                let hint = "leave `clientLimits` out of an ideal control plane, which has none".to_string();
                self.problem(&format!("spec.controlPlane.clientLimits.{name}"), "this is at least 1", Some(hint));
            }
        }
        control_plane(entry)
    }
}

/// The control plane, and what is said of it if it is not an ideal one.
fn control_plane(entry: &file::ControlPlane) -> (ControlPlane, Option<String>) {
    let realistic = entry.preset == Preset::Realistic;
    let of = |given: Option<file::Duration>, realistic_ms: u64| {
        given.map_or(Span::from_ms(if realistic { realistic_ms } else { 0 }), |given| given.0)
    };
    let given =
        entry.client_limits.map(|limit| ClientLimit { per_second: limit.qps.max(1), burst: limit.burst.max(1) });
    let control_plane = ControlPlane {
        informer_lag: of(entry.informer_lag, 10),
        write_latency: of(entry.write_latency, 5),
        client_limit: given.or_else(|| realistic.then_some(ClientLimit::DEFAULT)),
        workers: match entry.workers {
            Some(each) => Workers::Same(each.max(1)),
            None if realistic => Workers::Upstream,
            None => Workers::Same(1),
        },
        leader_election: entry.leader_election.unwrap_or(realistic),
        ..ControlPlane::default()
    };
    let said = realistic.then(|| {
        let limit = control_plane.client_limit.unwrap_or(ClientLimit::DEFAULT);
        let lease = if control_plane.leader_election { "; a leader without a lease for 10s gives up" } else { "" };
        format!(
            "the control plane is a realistic one: each controller sends at most {} requests a second ({} at once), \
             its Kubernetes Events included; a write takes {}, caches are {} behind{lease}",
            limit.per_second, limit.burst, control_plane.write_latency, control_plane.informer_lag
        )
    });
    (control_plane, said)
}

/// The components that a text means: one of the control plane, nodes, or
/// `all`.
fn components(name: &str, scope: &Scope) -> Result<Vec<Component>, Refusal> {
    let node = |name: String| Component::Node(name.into());
    match name {
        "apiServer" => Ok(vec![Component::ApiServer]),
        "controllerManager" => Ok(vec![Component::ControllerManager]),
        "scheduler" => Ok(vec![Component::Scheduler]),
        "all" => {
            let nodes = scope.nodes.iter().map(|(name, _)| node(name.clone()));
            let control_plane = [Component::ApiServer, Component::ControllerManager, Component::Scheduler];
            Ok(control_plane.into_iter().chain(nodes).collect())
        }
        _ => match scope.nodes(name) {
            Ok(nodes) => Ok(nodes.into_iter().map(node).collect()),
            Err((_, hint)) => {
                let near = suggest::nearest(name, COMPONENTS).map(|near| format!("did you mean {near}?"));
                let all = || format!("write {}, all, or nodes such as node/a-1 or zone/a", COMPONENTS.join(", "));
                Err((format!("there is no component {name}"), near.or(hint).or_else(|| Some(all()))))
            }
        },
    }
}
