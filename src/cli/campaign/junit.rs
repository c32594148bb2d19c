//! Results as JUnit XML: a suite for each scenario, a case for each claim.

use super::verdicts::{Claim, Failed, Tested};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The report as a file.
pub(super) fn report(tested: &[Tested]) -> Result<Vec<u8>, String> {
    let mut report = Report::new("seatrial");
    for scenario in tested {
        let file = scenario.file.display().to_string();
        let mut suite = TestSuite::new(format!("{file}: {}", scenario.name));
        suite.add_property(("seeds", scenario.seeds.1.to_string().as_str()));
        for claim in &scenario.claims {
            let mut case = TestCase::new(claim.name.as_str(), status(claim));
            case.set_classname(file.as_str());
            if let Some(fix) = &claim.fix {
                case.set_system_out(format!("a documented bad outcome; fix: {}", fix.trim()));
            }
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string().map(String::into_bytes).map_err(|e| format!("cannot write JUnit: {e}"))
}

fn status(claim: &Claim) -> TestCaseStatus {
    let Some(first) = &claim.first else { return TestCaseStatus::success() };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let when = first.at.map(|at| format!("at {at}: ")).unwrap_or_default();
    status
        .set_message(format!("{when}{}", first.found))
        .set_type("assertion")
        .set_description(description(claim, first));
    status
}

fn description(claim: &Claim, first: &Failed) -> String {
    let mut lines = vec![format!("claim: {}", claim.text), format!("seed: {}", first.seed)];
    lines.extend(first.object.iter().map(|o| format!("object: {o}")));
    lines.extend(first.rule.iter().map(|(rule, upstream)| format!("rule: {rule} [{upstream}]")));
    lines.extend(first.why.iter().map(|line| format!("  {line}")));
    lines.push(format!("replay: {}\n", first.reproduce));
    lines.push(first.cut.clone());
    lines.join("\n")
}
