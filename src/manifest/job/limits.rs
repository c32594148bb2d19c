//! The numbers of a Job's spec and how they go together.

use crate::manifest::fields::Fields;
use crate::manifest::problems::Problems;
use crate::manifest::syntax;

const COMPLETIONS_SOFT_LIMIT: i64 = 100_000;
const HIGH_COMPLETIONS_LIMIT: i64 = 10_000;
const INDEXED_LIMIT: i64 = 100_000;

/// Whether each pod does the work of one index.
pub(super) fn is_indexed(f: &Fields) -> bool {
    f.text("completionMode") == "Indexed"
}

/// Upstream: `pkg/apis/batch/validation/validation.go validateJobSpec`
pub(super) fn check(f: &Fields, completions: Option<i32>, problems: &mut Problems) {
    for name in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        problems.not_negative(&f.path(name), f.int(name).unwrap_or(0));
    }
    if f.has("maxFailedIndexes") && !f.has("backoffLimitPerIndex") {
        problems.required(&f.path("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    check_manager(f, problems);
    if f.has("completionMode") {
        problems.one_of(&f.path("completionMode"), f.text("completionMode"), &["NonIndexed", "Indexed"]);
    }
    if is_indexed(f) {
        check_indexed(f, completions, problems);
        return;
    }
    for name in ["backoffLimitPerIndex", "maxFailedIndexes"] {
        if let Some(n) = f.int(name) {
            problems.invalid(&f.path(name), n, "requires indexed completion mode");
        }
    }
}

fn check_indexed(f: &Fields, completions: Option<i32>, problems: &mut Problems) {
    let (parallelism, failed) = (f.int("parallelism"), f.int("maxFailedIndexes"));
    let mut at_most = |name: &str, n: Option<i64>, limit: i64, detail: &str| {
        if let Some(n) = n.filter(|&n| n > limit) {
            problems.invalid(&f.path(name), n, &format!("must be less than or equal to {detail}"));
        }
    };
    let limit = format!("{INDEXED_LIMIT} when completion mode is Indexed");
    at_most("parallelism", parallelism, INDEXED_LIMIT, &limit);
    if let Some(completions) = completions {
        at_most("maxFailedIndexes", failed, completions.into(), "completions");
    }
    at_most("maxFailedIndexes", failed, INDEXED_LIMIT, &INDEXED_LIMIT.to_string());
    let many = completions.is_some_and(|n| i64::from(n) > COMPLETIONS_SOFT_LIMIT) && f.has("backoffLimitPerIndex");
    if many {
        let limit = format!(
            "{HIGH_COMPLETIONS_LIMIT} when completions are above {COMPLETIONS_SOFT_LIMIT} and used with backoff limit per index"
        );
        at_most("parallelism", parallelism, HIGH_COMPLETIONS_LIMIT, &limit);
        at_most("maxFailedIndexes", failed, HIGH_COMPLETIONS_LIMIT, &limit);
    }
    if completions.is_none() {
        problems.required(&f.path("completions"), "when completion mode is Indexed");
    }
    if many && failed.is_none() {
        let detail = format!("must be specified when completions is above {COMPLETIONS_SOFT_LIMIT}");
        problems.required(&f.path("maxFailedIndexes"), &detail);
    }
}

/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go IsDomainPrefixedPath`
fn check_manager(f: &Fields, problems: &mut Problems) {
    const LIMIT: usize = 63;
    if !f.has("managedBy") {
        return;
    }
    let (path, manager) = (f.path("managedBy"), f.text("managedBy"));
    match manager.split_once('/') {
        _ if manager.is_empty() => problems.required(&path, ""),
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => {
            problems.invalid_text(&path, host, &syntax::dns_subdomain(host));
        }
        _ => problems.invalid(&path, manager, "must be a domain-prefixed path (such as \"acme.io/foo\")"),
    }
    if manager.len() > LIMIT {
        problems.add(&path, format!("Too long: may not be more than {LIMIT} bytes"));
    }
}
