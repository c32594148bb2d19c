use super::*;
use crate::scenario::{Overrides, load};

const SCENARIO: &str = "
apiVersion: seatrial/v1alpha1
kind: Scenario
spec:
  duration: 5m
  pods:
    '*': {start: 1s}
    deployment/web: {ready: {lognormal: {median: 8s, p99: 20s}}}
    image/app:v3: {ready: never}
  actions:
  - {at: 30s, name: ship, setImage: {deployment/web: 'app:v3'}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: 'app:v1'}]}
";

fn loaded(text: &str) -> Loaded {
    let input = load::load(&[load::STDIN.to_string()], false, &mut text.as_bytes()).unwrap();
    input.scenarios.into_iter().next().unwrap()
}

fn with(loaded: &Loaded, settings: &[&str]) -> Result<Loaded, Vec<Problem>> {
    let settings: Vec<Setting> = settings.iter().map(|s| Setting::parse(s).unwrap()).collect();
    let chosen: Vec<(&str, &Choice)> = settings.iter().map(|s| (s.field.as_str(), &s.values[0])).collect();
    apply(loaded, &chosen)
}

#[test]
fn values_are_yaml() {
    let texts = |text: &str| -> Vec<String> {
        Setting::parse(text).unwrap().values.iter().map(|c| c.value.to_string()).collect()
    };
    assert_eq!(texts("a.b=0,1,25%"), ["0", "1", "\"25%\""]);
    assert_eq!(texts("a=8..10,x"), ["8", "9", "10", "\"x\""]);
    assert_eq!(
        texts("a={lognormal: {median: 1s, p99: 2s}},3s"),
        [r#"{"lognormal":{"median":"1s","p99":"2s"}}"#, "\"3s\""]
    );
    assert_eq!(texts("a='1,2',null,"), ["\"1,2\"", "null", "null"]);
    for (text, wanted) in
        [("a", "sets nothing"), ("=1", "names no field"), ("a=5..1", "range"), ("a={b", "not a value")]
    {
        assert!(Setting::parse(text).unwrap_err().message.contains(wanted), "{text}");
    }
}

#[test]
fn fields_are_set_where_they_stand() {
    let loaded = loaded(SCENARIO);
    for (setting, pointer, wanted) in [
        ("deployment/web.maxSurge=50%", "/spec/strategy/rollingUpdate/maxSurge", "\"50%\""),
        ("deploy/web.replicas=7", "/spec/replicas", "7"),
        ("default/deployment/web.image=x", "/spec/template/spec/containers/0/image", "\"x\""),
        ("deployment/web.containers.app.image=x", "/spec/template/spec/containers/0/image", "\"x\""),
        ("deployment/web.metadata.labels[\"a.b/c\"]=x", "/metadata/labels/a.b~1c", "\"x\""),
    ] {
        let changed = with(&loaded, &[setting]).unwrap();
        let found = changed.manifests[0].value.pointer(pointer).map(ToString::to_string);
        assert_eq!(found.as_deref(), Some(wanted), "{setting}");
        assert_eq!(changed.arguments[1..], ["--set".to_string(), setting.to_string()]);
        let field = setting.split_once('=').unwrap().0;
        assert_eq!(written(&changed, field).map(|v| v.to_string()).as_deref(), Some(wanted), "{setting}");
    }
}

#[test]
fn scenario_fields_are_set_where_they_stand() {
    let loaded = loaded(SCENARIO);
    for (setting, pointer, wanted) in [
        ("duration=6m", "/spec/duration", "\"6m\""),
        ("spec.duration=6m", "/spec/duration", "\"6m\""),
        ("kubernetes.version='1.35'", "/kubernetes/version", "\"1.35\""),
        ("actions.ship.at=40s", "/spec/actions/0/at", "\"40s\""),
        ("actions[0].at=40s", "/spec/actions/0/at", "\"40s\""),
        ("cluster.zones.a.nodes=2", "/spec/cluster/zones/a/nodes", "2"),
        ("pods.ready.p99=30s", "/spec/pods/deployment~1web/ready/lognormal/p99", "\"30s\""),
        ("pods.ready=30s", "/spec/pods/image~1app:v3/ready", "\"never\""),
        ("pods.start.p99=9s", "/spec/pods/*/start/lognormal", "{\"median\":\"1s\",\"p99\":\"9s\"}"),
        ("pods.image/app:v3.ready=2s", "/spec/pods/image~1app:v3/ready", "\"2s\""),
        ("pods.node/a-1.start=2s", "/spec/pods/node~1a-1/start", "\"2s\""),
        ("pods.terminate=2s", "/spec/pods/*/terminate", "\"2s\""),
    ] {
        let changed = with(&loaded, &[setting]).unwrap();
        let value = &changed.document.as_ref().unwrap().value;
        let found = value.pointer(pointer).map(ToString::to_string);
        assert_eq!(found.as_deref(), Some(wanted), "{setting}: {value}");
    }
}

#[test]
fn manifests_alone_become_their_scenario() {
    let manifest = SCENARIO.split("---").nth(1).unwrap();
    let loaded = loaded(manifest);
    let setup = |loaded: &Loaded| compile::compile(loaded, Overrides::default()).unwrap().setup;
    let plain = setup(&loaded);
    let same = setup(&with(&loaded, &["pods.schedule=10ms"]).unwrap());
    assert_eq!((&same.profiles, &same.actions, same.until), (&plain.profiles, &plain.actions, plain.until));
    assert_eq!((&same.nodes, &same.title), (&plain.nodes, &plain.title));
    let slower = setup(&with(&loaded, &["pods.ready.p99=1m", "deployment/web.replicas=9"]).unwrap());
    assert_ne!(slower.profiles, plain.profiles);
}

#[test]
fn what_does_not_exist_is_said() {
    let loaded = loaded(SCENARIO);
    for (setting, wanted) in [
        ("deployment/wbe.maxSurge=1", "there is no deployment/wbe in this scenario (did you mean deployment/web?)"),
        ("durration=1m", "--set durration=1m: unknown field `durration` (did you mean `duration`?)"),
        ("actions.shipp.at=1m", "the list has 1 elements and none is `shipp`"),
        ("deployment/web.replicas.x=1", "there is no `x` in 4"),
    ] {
        let problems = with(&loaded, &[setting]).map(|_| ()).unwrap_err();
        assert!(problems[0].to_string().contains(wanted), "{}", problems[0]);
    }
}

#[test]
fn jobs_go_on_working_when_something_is_said_of_pods() {
    let job = "apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}
";
    let manifest = loaded(job);
    let usual = compile::compile(&manifest, Overrides::default()).unwrap().setup.profiles.clone();
    for (setting, changed) in [("pods.terminate=3s", false), ("pods.run.duration=5s", true)] {
        let set = with(&manifest, &[setting]).unwrap();
        let profiles = compile::compile(&set, Overrides::default()).unwrap().setup.profiles.clone();
        let of_jobs = |all: &[crate::sim::setup::PodProfile]| all.last().cloned();
        let (before, after) = (of_jobs(&usual).unwrap(), of_jobs(&profiles).unwrap());
        assert_eq!(
            (after.ready.clone(), after.matches.workload.clone()),
            (before.ready.clone(), before.matches.workload.clone())
        );
        assert_eq!(after.run != before.run, changed, "{setting}: {after:?}");
    }
}

#[test]
fn what_is_wrong_with_a_setting_is_said_of_the_setting() {
    let loaded = loaded(SCENARIO);
    for (setting, wanted) in [
        ("deployment/web.maxSruge=1", "(did you mean deployment/web.maxSurge?)"),
        ("deployment/web.replicas=abc", "replicas=abc: "),
        ("duration=abc", "--set duration=abc: "),
    ] {
        let problems = match with(&loaded, &[setting]) {
            Ok(set) => compile::compile(&set, Overrides::default()).unwrap_err(),
            Err(problems) => problems,
        };
        let text = problems[0].to_string();
        assert!(text.starts_with(&format!("--set {setting}: ")) && text.contains(wanted), "{text}");
    }
}
