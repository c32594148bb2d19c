use super::super::expression::parse;
use super::super::scope::Named;
use super::super::scope::tests::scope;
use super::*;
use crate::api::Kind;
use crate::assertion::Window;
use crate::time::SimTime;

fn predicate(text: &str) -> Result<String, Mistake> {
    let scope = scope();
    let window = Window { from: SimTime::from_secs(30), to: SimTime::from_secs(600) }.into();
    Resolver { scope: &scope, window }.predicate(&parse(text)?).map(|p| p.to_string())
}

fn check(text: &str) -> Result<String, Mistake> {
    let scope = scope();
    let window = Window { from: SimTime::from_secs(30), to: SimTime::from_secs(600) }.into();
    Resolver { scope: &scope, window }.check(&parse(text)?).map(|c| format!("{c:?}"))
}

#[test]
fn names_get_their_meaning() {
    for text in [
        "available(deployment/api) >= 8",
        "on-node(shop/deployment/web) <= desired(deployment/api) + 2",
        "ready(deployment/api) >= 60% of desired(deployment/api)",
        "ready(api/2) == 0",
        "on-node(node/a-1) > 0 and complete(deploy/api)",
        "condition(deployment/api, Progressing) == \"False/ProgressDeadlineExceeded\"",
        "condition(node/a-1, Ready) != Unknown",
        "event(ProgressDeadlineExceeded, deployment/api) or event(X, *)",
        "not created(shop/web/1)",
        "2 * ready(replicaset/api/1) < 7.25",
    ] {
        assert!(predicate(text).is_ok(), "{text}: {:?}", predicate(text));
    }
    for text in [
        "min(available(deployment/api)) >= 8",
        "mean(available(deployment/api) after ship + 10s before end) > 9.5",
        "duration(available(deployment/api) < 10) <= 30s",
        "count(created(api/1) after 1m) == 7",
        "count(available(deployment/api) < 8) == 0",
        "first(ready(api/2) > 0) > first(complete(deployment/api)) + 5s",
        "rollout-time(deployment/api) <= 2 * 60s",
        "at(available(deployment/api), end) == 10 and at(available(deployment/api), ship + 5s) < 10",
        "last(restarts(deployment/api)) == 0",
    ] {
        assert!(check(text).is_ok(), "{text}: {:?}", check(text));
    }
}

#[test]
fn what_has_no_meaning_is_explained() {
    for (text, at, message, hint) in [
        ("avialable(deployment/api) > 1", 0..9, "no series or function `avialable`", "did you mean available?"),
        ("available(deployment/apo) > 1", 10..24, "there is no deployment/apo", "did you mean deployment/api?"),
        ("available(deployment/web) > 1", 10..24, "several deployment/web", "write default/deployment/web"),
        ("available(api) > 1", 10..13, "does not name an object", "write deployment/api"),
        ("available(api/2) > 1", 0..16, "api/2 has no series available", "ready, on-node"),
        ("ready(api/2#0) > 1", 6..13, "one pod on its own", "ask about its ReplicaSet api/2"),
        ("ready(node/x) > 1", 6..12, "there is no node x", "the nodes are a-1"),
        ("available(deployment/api)", 0..25, "is a number, not a claim", "compare it"),
        ("min(available(deployment/api)) > 1", 0..30, "one figure for the whole window", "under `check`"),
        ("available(deployment/api) > 10s", 28..31, "a duration cannot be compared with a number", ""),
        ("available(deployment/api) > x", 28..29, "`x` is not a number", "in parentheses"),
        ("complete(api/2)", 9..14, "only workloads such as deployment/web have rollouts", ""),
        (
            "condition(deployment/api, Progresing) == True",
            26..36,
            "has no condition Progresing",
            "did you mean Progressing?",
        ),
        ("condition(deployment/api, Available) == yes", 40..43, "a condition is True, False or Unknown", "\"False\""),
        ("condition(deployment/api, Available) > True", 39..43, "with == and != only", ""),
        ("created(deployment/api) > 1", 0..23, "created(…) is not a number", "created(web/1)"),
        ("8", 0..1, "this is not a claim", "compare it"),
        ("ready(*) > 1", 6..7, "`*` has no meaning here", "name one object"),
        ("ready(deployment/api) * ready(deployment/api) > 1", 0..45, "must be a whole number", "60% of"),
        ("ready(deployment/api) > 1.005", 24..29, "at most two digits", ""),
    ] {
        let mistake = predicate(text).unwrap_err();
        assert!(mistake.message.contains(message), "{text}: {mistake:?}");
        assert!(mistake.hint.clone().unwrap_or_default().contains(hint), "{text}: {mistake:?}");
        assert_eq!(mistake.at, at, "{text}: {mistake:?}");
    }
    for (text, message, hint) in [
        ("complete(deployment/api)", "`check` compares figures", "eventually"),
        ("created(deployment/api)", "`check` compares figures", "count(created(…)) > 0"),
        ("available(deployment/api) > 1", "has many values in a window", "min(available("),
        ("min(available(deployment/api)) > 30s", "do not compare", "30s for a duration"),
        ("min(available(deployment/api)) + 3s > 3s", "do not add up", ""),
        ("avg(available(deployment/api)) > 1", "no series or function `avg`", "did you mean mean?"),
        ("count(created(api/1) after shp) == 1", "there is no action shp", "did you mean ship?"),
        ("count(created(api/1) after 11m) == 1", "11m is after the end of the run at 10m", ""),
        ("count(created(api/1) after 2m before 1m) == 1", "nothing lies between 2m and 1m", ""),
        ("count(api/1) == 1", "count is used as in", ""),
        ("at(available(deployment/api)) == 1", "at is used as in", ""),
        ("min(ready(deployment/api after 3s)) == 1", "has a value at every moment", "min(…)"),
    ] {
        let mistake = check(text).unwrap_err();
        assert!(mistake.message.contains(message), "{text}: {mistake:?}");
        assert!(mistake.hint.clone().unwrap_or_default().contains(hint), "{text}: {mistake:?}");
    }
}

#[test]
fn every_example_is_understood() {
    let mut scope = scope();
    for (kind, name) in
        [(Kind::CronJob, "ledger"), (Kind::CronJob, "report"), (Kind::Job, "load"), (Kind::Service, "api")]
    {
        scope.objects.push(Named { kind, namespace: "default".to_string(), name: name.to_string() });
    }
    scope.traffic.push(("default".to_string(), "api".to_string()));
    let window = Window { from: SimTime::from_secs(30), to: SimTime::from_secs(600) }.into();
    let resolver = Resolver { scope: &scope, window };
    for (name, example) in FUNCTIONS {
        let expression = parse(&example.replace("web", "api")).expect("examples can be read");
        let found = if FIGURES.contains(&name) || name == "happens-at" {
            resolver.check(&expression).map(|_| ())
        } else {
            resolver.predicate(&expression).map(|_| ())
        };
        assert!(found.is_ok(), "{example}: {found:?}");
    }
}
