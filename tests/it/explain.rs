use crate::fixture::{self, Player, WEB};
use seatrial::api::Kind;
use seatrial::explain::{chain, find};
use seatrial::scenario::from_text;
use seatrial::time::SimTime;
use seatrial::trace::{RecordId, Subject, Trace, What};

fn described(trace: &Trace, ids: &[RecordId]) -> Vec<String> {
    ids.iter().map(|id| trace.describe(&trace.records[id.0 as usize])).collect()
}

#[test]
fn the_life_of_a_pod_reads_like_a_story() {
    let trace = fixture::rollout();
    let life = described(&trace, &find(&trace, "pod/web/1#9", None).expect("it lived"));
    let expected = [
        "pod web/1#9 was created",
        "pod web/1#9 was bound to node node-a",
        "pod web/1#9 became ready",
        "pod web/1#9 was asked to go within 30 s",
        "pod web/1#9 failed (exit code 143)",
        "pod web/1#9 is gone",
    ];
    assert_eq!(life, expected);
}

#[test]
fn a_chain_leads_from_the_effect_to_the_action() {
    let trace = fixture::rollout();
    let at = Some(SimTime::from_secs(60));
    let deleting = find(&trace, "po/web/1#9", at).expect("it was deleted then")[0];
    let expected = "\
1m  #104  pod web/1#9 was asked to go within 30 s
1m  #103    because ReplicaSet web/1: 2 pods too many: have 10, want 8 [replicaset/replica_set.go manageReplicas]
1m  #101    because ReplicaSet web/1 was set to 8 replicas
1m  #100    because Deployment web: up to 2 old pods may go: 13 there - 8 must stay available - 3 new ones not available yet = 2 [deployment/rolling.go reconcileOldReplicaSets]
1m  #85     because Deployment web: a new template needs a ReplicaSet of its own, revision 2 [deployment/sync.go getNewReplicaSet]
1m  #84     because somebody: set image deployment/web app:v2";
    assert_eq!(chain(&trace, deleting).join("\n"), expected);
    assert!(chain(&trace, RecordId::NONE).is_empty());
}

#[test]
fn everything_in_a_trace_can_be_described() {
    for trace in [fixture::rollout(), fixture::stalled()] {
        for record in &trace.records {
            let sentence = trace.describe(record);
            assert!(!sentence.is_empty() && !sentence.contains('{'), "{sentence}");
        }
    }
}

#[test]
fn numbers_and_times_find_records() {
    let trace = fixture::rollout();
    assert_eq!(find(&trace, "#84", None).expect("it is there"), [RecordId(84)]);
    let all = find(&trace, "deployment/web", None).expect("it is there");
    let last = find(&trace, "Deployment/web", Some(SimTime::MAX)).expect("it is there");
    assert_eq!(last, all[all.len() - 1..]);
    let by_api_name = find(&trace, "rs/web-2", None).expect("its name in the API");
    assert_eq!(by_api_name, find(&trace, "rs/web/2", None).expect("its own name"));
}

#[test]
fn a_search_that_fails_says_what_would_not() {
    let mut trace = Player::new("", 30_000).deployment(WEB).play();
    let id = trace.subjects.len() as u32;
    trace.subjects.push(Subject {
        kind: Kind::Deployment,
        namespace: "shop".into(),
        name: "web".into(),
        api_name: "web".into(),
        owner: None,
        revision: 0,
        room: seatrial::api::Resources::default(),
        zone: None,
    });
    trace.push(SimTime::from_secs(30), RecordId::NONE, seatrial::trace::SubjectId(id), What::Created);
    for (query, at, message) in [
        ("#9999", None, "there is no record #9999 (the trace has #0 to #"),
        ("#x", None, "there is no record #x"),
        ("web", None, "\"web\" names neither a record nor an object (say #12 for a record"),
        ("deploy/wbe", None, "there is no deploy/wbe in the trace (there is deployment/web)"),
        ("pod/web/1#77", None, "there is no pod/web/1#77 in the trace (there is pod/web/1#7, "),
        ("deploy/web", None, "deploy/web is in 2 namespaces (say default/deployment/web or shop/"),
        ("shop/deploy/web", Some(5), "shop/deploy/web has no record at or before 5s"),
    ] {
        let error = find(&trace, query, at.map(SimTime::from_secs)).expect_err(query).to_string();
        assert!(error.starts_with(message), "expected: {message}\n   found: {error}");
    }
    assert_eq!(find(&trace, "shop/deploy/web", None).expect("it is alone there").len(), 1);
    let empty = find(&Trace::default(), "pod/x", None).expect_err("there is nothing").to_string();
    assert_eq!(empty, "there is no pod/x in the trace (the trace has no pod at all)");
}

const NEIGHBOURS: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: never}
spec:
  backoffLimit: 3
  template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: in-place}
spec:
  backoffLimit: 3
  template: {spec: {restartPolicy: OnFailure, containers: [{name: app, image: 'app:v1'}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: allow}
spec:
  schedule: '* * * * *'
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: forbid}
spec:
  schedule: '* * * * *'
  concurrencyPolicy: Forbid
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stuck}
spec:
  progressDeadlineSeconds: 60
  selector: {matchLabels: {app: stuck}}
  template:
    metadata: {labels: {app: stuck}}
    spec: {containers: [{name: app, image: 'app:v1'}]}
---
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: neighbours}
spec:
  duration: 8m
  pods:
    '*': {start: 1s, terminate: 1s}
    deployment/stuck: {ready: never}
    job/never: {run: {duration: 1s, exits: [1]}}
    job/in-place: {run: {duration: 1s, exits: [1]}}
    cronjob/allow: {run: {duration: 70s}}
    cronjob/forbid: {run: {duration: 90s}}
";

/// Ticks, back-offs, batched statuses and deadlines come of timers: whatever a
/// neighbour did in the meantime is not their cause.
#[test]
fn no_cause_is_another_workloads() {
    let compiled = from_text(NEIGHBOURS).unwrap_or_else(|error| panic!("{error}"));
    let trace = seatrial::sim::run(&compiled[0].setup);
    let top = |record: RecordId| {
        let mut id = trace.records[record.0 as usize].subject;
        while let Some(owner) = trace.subject(id).owner {
            id = owner;
        }
        trace.subject(id).path()
    };
    let mut deepest = 0;
    for id in (0..trace.records.len() as u32).map(RecordId) {
        let chain = trace.why_chain(id);
        deepest = deepest.max(chain.len());
        for &cause in &chain {
            let (here, there) = (top(id), top(cause));
            let told = || seatrial::explain::chain(&trace, id).join("\n");
            assert!(here == there || there.starts_with("node/"), "{here} because of {there}:\n{}", told());
        }
    }
    assert!(deepest > 10, "there are chains: {deepest}");
    // A tick comes of its schedule, and not of the tick before; unless it had
    // to wait for a Job.
    let last_tick = |name: &str| {
        let is = |r: &seatrial::trace::Record| {
            let due = matches!(r.what, What::Decided(seatrial::trace::Why::ScheduleDue { .. }));
            due && &*trace.subject(r.subject).name == name
        };
        let last = trace.records.iter().rposition(is).expect("there are ticks");
        seatrial::explain::chain(&trace, RecordId(last as u32))
    };
    let told = last_tick("allow");
    assert!(told.len() == 2 && told[1].contains("was created"), "{told:#?}");
    let told = last_tick("forbid");
    assert!(told[1].contains("Complete is True"), "{told:#?}");
}
