//! What a StatefulSet never does by its own doing, whatever happens to its
//! pods: the three invariants that upstream's tests assert, over thousands of
//! random histories.
//!
//! Upstream: `statefulset/stateful_set_control_test.go assertMonotonicInvariants,
//! assertBurstInvariants, assertUpdateInvariants`

mod common;

use common::{add, at, cluster};
use proptest::prelude::*;
use seatrial::api::{FeatureGates, Gate, Kind};
use seatrial::environment::Delay;
use seatrial::sim::setup::{Action, PodMatch, PodProfile, Target, Volumes};
use seatrial::sim::{self, Setup};
use seatrial::time::Span;
use seatrial::trace::{Field, Record, Trace, Value, What, Why};
use serde_json::json;
use std::collections::BTreeMap;

/// One random history.
#[derive(Clone, Debug)]
struct History {
    replicas: i32,
    start: i32,
    parallel: bool,
    partition: i32,
    min_ready_seconds: i32,
    max_unavailable: Option<i32>,
    claims: bool,
    stored: bool,
    ready_seconds: u64,
    /// The second version needs this long to be ready.
    next_ready_seconds: u64,
    events: Vec<(u64, Happening)>,
}

#[derive(Clone, Debug)]
enum Happening {
    Scale(i32),
    Update,
    Delete(i32),
    Crash(i32),
    Evict(i32),
    /// Not ready for a while.
    Blink(i32),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (0..6_i32).prop_map(Happening::Scale),
        Just(Happening::Update),
        (0..6_i32).prop_map(Happening::Delete),
        (0..6_i32).prop_map(Happening::Crash),
        (0..6_i32).prop_map(Happening::Evict),
        (0..6_i32).prop_map(Happening::Blink),
    ]
}

prop_compose! {
    fn history()(
        replicas in 0..6_i32,
        start in prop_oneof![3 => Just(0), 1 => 1..4_i32],
        parallel in any::<bool>(),
        partition in prop_oneof![3 => Just(0), 1 => 0..5_i32],
        min_ready_seconds in prop_oneof![2 => Just(0), 1 => 1..8_i32],
        max_unavailable in prop_oneof![3 => Just(None), 1 => (1..4_i32).prop_map(Some)],
        claims in any::<bool>(),
        stored in any::<bool>(),
        ready_seconds in 0..6_u64,
        next_ready_seconds in 0..12_u64,
        events in prop::collection::vec((2..120_u64, happening()), 0..7),
    ) -> History {
        History {
            replicas, start, parallel, partition, min_ready_seconds, max_unavailable, claims, stored,
            ready_seconds, next_ready_seconds, events,
        }
    }
}

impl History {
    fn setup(&self) -> Setup {
        let mut rolling = json!({"partition": self.partition});
        if let Some(most) = self.max_unavailable {
            rolling["maxUnavailable"] = json!(most);
        }
        let claim = json!({
            "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        });
        let set = json!({
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db"},
            "spec": {
                "serviceName": "db",
                "replicas": self.replicas,
                "ordinals": {"start": self.start},
                "podManagementPolicy": if self.parallel { "Parallel" } else { "OrderedReady" },
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
                "minReadySeconds": self.min_ready_seconds,
                "selector": {"matchLabels": {"app": "db"}},
                "template": {
                    "metadata": {"labels": {"app": "db"}},
                    "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
                },
                "volumeClaimTemplates": if self.claims { vec![claim] } else { Vec::new() },
            },
        });
        let mut setup = cluster(6, 300);
        if self.stored {
            setup.volumes = Some(Volumes::default());
            add(
                &mut setup,
                &json!({
                    "apiVersion": "storage.k8s.io/v1",
                    "kind": "StorageClass",
                    "metadata": {
                        "name": "disks",
                        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
                    },
                    "provisioner": "disks",
                    "volumeBindingMode": "WaitForFirstConsumer",
                }),
            );
        }
        add(&mut setup, &set);
        let gates = FeatureGates::default();
        setup.control_plane.feature_gates = gates.with(Gate::MaxUnavailableStatefulSet, self.max_unavailable.is_some());
        let seconds = |n| Some(Delay::Constant(Span::from_secs(n)));
        setup.profiles.push(PodProfile {
            start: Some(Delay::Uniform { low: Span::from_ms(500), high: Span::from_secs(3) }),
            ready: seconds(self.ready_seconds),
            terminate: Some(Delay::Uniform { low: Span::from_ms(500), high: Span::from_secs(4) }),
            ..PodProfile::default()
        });
        setup.profiles.push(PodProfile {
            matches: PodMatch { image: Some("app:v2".into()), ..PodMatch::default() },
            ready: seconds(self.next_ready_seconds),
            ..PodProfile::default()
        });
        self.actions(&mut setup);
        setup
    }

    fn actions(&self, setup: &mut Setup) {
        let mut events = self.events.clone();
        events.sort_by_key(|(second, _)| *second);
        let mut version = 1;
        for (second, happening) in events {
            let pod = |ordinal: i32| format!("db-{}", self.start + ordinal);
            match happening {
                Happening::Scale(replicas) => at(setup, second, Action::Scale { target: target(), replicas }),
                Happening::Update => {
                    version += 1;
                    let image = format!("app:v{version}");
                    at(setup, second, Action::SetImage { target: target(), container: None, image });
                }
                Happening::Delete(ordinal) => {
                    // A pattern, so that no pod of that name is no mistake.
                    let pod = format!("{}*", pod(ordinal));
                    at(setup, second, Action::DeletePods { pod, grace_seconds: None });
                }
                Happening::Crash(ordinal) => at(setup, second, Action::PodCrash { pod: pod(ordinal), exit: 1 }),
                Happening::Evict(ordinal) => {
                    at(setup, second, Action::PodFail { pod: pod(ordinal), disruption: None });
                }
                Happening::Blink(ordinal) => {
                    at(setup, second, Action::PodUnready(pod(ordinal)));
                    at(setup, second + 4, Action::PodReady(pod(ordinal)));
                }
            }
        }
        setup.actions.sort_by_key(|action| action.at);
    }
}

fn target() -> Target {
    Target { kind: Kind::StatefulSet, namespace: "default".into(), name: "db".into() }
}

/// What is known of the pod of an ordinal.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    ready: bool,
    deleting: bool,
    revision: u32,
}

/// Follows a trace and checks what the controller does when it does it.
struct Witness<'a> {
    trace: &'a Trace,
    history: &'a History,
    pods: BTreeMap<i32, Known>,
    claims: Vec<String>,
    newest: u32,
    replicas: i32,
}

impl Witness<'_> {
    fn look(&mut self, record: &Record) -> Result<(), TestCaseError> {
        let subject = self.trace.subject(record.subject);
        match (subject.kind, record.what) {
            (Kind::PersistentVolumeClaim, What::Created) => self.claims.push(subject.api_name.to_string()),
            (Kind::StatefulSet, What::Set { field: Field::SpecReplicas, value: Value::Int(n) }) => {
                self.replicas = n as i32;
            }
            (Kind::ControllerRevision, What::Created) => self.newest = self.newest.max(subject.revision),
            (Kind::Pod, what) => {
                let ordinal = subject.api_name.rsplit('-').next().and_then(|n| n.parse().ok()).expect("an ordinal");
                self.look_at_pod(record, ordinal, subject.revision, what)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn look_at_pod(&mut self, record: &Record, ordinal: i32, revision: u32, what: What) -> Result<(), TestCaseError> {
        let at = record.at;
        match what {
            What::Created => {
                prop_assert!(!self.pods.contains_key(&ordinal), "db-{ordinal} exists twice at {at}");
                self.burst(ordinal)?;
                self.monotonic(ordinal, at)?;
                self.pods.insert(ordinal, Known { revision, ..Known::default() });
            }
            What::Deleting { .. } => {
                self.deletion(record, ordinal)?;
                self.pods.entry(ordinal).and_modify(|pod| pod.deleting = true);
            }
            What::Removed => {
                self.pods.remove(&ordinal);
            }
            What::Ready => {
                self.pods.entry(ordinal).and_modify(|pod| pod.ready = true);
            }
            What::Unready | What::Failed { .. } | What::Succeeded { .. } => {
                self.pods.entry(ordinal).and_modify(|pod| pod.ready = false);
            }
            _ => {}
        }
        Ok(())
    }

    /// A pod never comes before its claims.
    fn burst(&self, ordinal: i32) -> Result<(), TestCaseError> {
        let claim = format!("data-db-{ordinal}");
        prop_assert!(!self.history.claims || self.claims.contains(&claim), "db-{ordinal} without {claim}");
        Ok(())
    }

    /// An ordered set makes a pod only when all before it are well.
    fn monotonic(&self, ordinal: i32, at: seatrial::time::SimTime) -> Result<(), TestCaseError> {
        if self.history.parallel {
            return Ok(());
        }
        for before in self.history.start..ordinal {
            let well = self.pods.get(&before).is_some_and(|pod| pod.ready && !pod.deleting);
            prop_assert!(well, "db-{ordinal} at {at} while db-{before} is {:?}", self.pods.get(&before));
        }
        Ok(())
    }

    /// An ordered set shrinks from above; an update goes from above too, one
    /// pod at a time or as many as the budget says, and not below the
    /// partition.
    fn deletion(&self, record: &Record, ordinal: i32) -> Result<(), TestCaseError> {
        let cause = self.trace.record(record.cause).map(|cause| cause.what);
        match cause {
            Some(What::Decided(Why::CondemnedPod { .. })) if !self.history.parallel => {
                let above = self.pods.range(ordinal + 1..).next();
                prop_assert!(above.is_none(), "db-{ordinal} goes before {above:?} at {}", record.at);
            }
            Some(What::Decided(Why::OutdatedPod { .. })) => {
                let floor = self.history.start + self.history.partition;
                prop_assert!(ordinal >= floor, "db-{ordinal} is below the partition");
                let pod = self.pods.get(&ordinal).copied().unwrap_or_default();
                prop_assert!(pod.revision != self.newest, "db-{ordinal} was up to date at {}", record.at);
                self.budget(ordinal, record)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn budget(&self, ordinal: i32, record: &Record) -> Result<(), TestCaseError> {
        let unwell = |pod: &Known| !pod.ready || pod.deleting;
        // Pods beyond the size are none of an update's business.
        let end = (self.history.start + self.replicas).max(ordinal + 1);
        match self.history.max_unavailable {
            None => {
                for (above, pod) in self.pods.range(ordinal + 1..end) {
                    let done = pod.revision == self.newest && !unwell(pod);
                    prop_assert!(done, "db-{ordinal} is updated at {} while db-{above} is {pod:?}", record.at);
                }
            }
            Some(most) => {
                let others =
                    self.pods.range(..end).filter(|(other, pod)| **other != ordinal && unwell(pod)).count() as i32;
                prop_assert!(others < most, "{others} others are not well when db-{ordinal} goes at {}", record.at);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stateful_sets_keep_their_order(history in history()) {
        let setup = history.setup();
        let trace = sim::run(&setup);
        let mut witness = Witness {
            trace: &trace, history: &history, pods: BTreeMap::new(), claims: Vec::new(), newest: 0, replicas: 0,
        };
        for record in &trace.records {
            witness.look(record)?;
        }
        // What broke was mended, unless an update was still on its way.
        let wanted = history.events.iter().rev().max_by_key(|(second, _)| *second);
        prop_assert!(wanted.is_none() || witness.pods.len() <= 6, "{} pods", witness.pods.len());
    }
}
