//! Jobs and CronJobs as people write them run as they are.

use seatrial::api::Kind;
use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::timeline::{Series, Timeline};
use std::fs;
use std::path::PathBuf;

fn manifests() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/manifests/batch");
    let mut all: Vec<PathBuf> = fs::read_dir(folder).expect("the folder").map(|e| e.expect("a file").path()).collect();
    all.sort();
    all
}

#[test]
fn each_job_completes_and_each_schedule_comes() {
    let all = manifests();
    assert!(all.len() >= 7);
    for path in all {
        let name = path.display();
        let text = fs::read_to_string(&path).expect("a text");
        let rehearsals = from_text(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let setup = &rehearsals[0].setup;
        let timeline = Timeline::of(&sim::run(setup));
        let mut batch = 0;
        for workload in timeline.workloads() {
            let last = |series| workload.series(series).at(timeline.until);
            match workload.kind {
                Kind::Job => {
                    let done = workload.conditions().iter().any(|c| c.condition == "Complete" && c.status == "True");
                    assert!(done, "{name}: {} did not complete", workload.path());
                }
                Kind::CronJob => {
                    assert_eq!(last(Series::StartedJobs), 3, "{name}: {}", workload.path());
                    assert_eq!(last(Series::Completions), 3, "{name}: {}", workload.path());
                }
                _ => continue,
            }
            batch += 1;
            assert_eq!(last(Series::Running), 0, "{name}: {} runs on", workload.path());
        }
        assert!(batch > 0, "{name}");
    }
}

#[test]
fn schedules_come_at_the_hours_of_their_zones() {
    for (file, hours) in [("db-backup", 18), ("daily-report", 11), ("ledger-daily-reconciliation", 19)] {
        let path = format!("{}/tests/manifests/batch/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
        let rehearsals = from_text(&fs::read_to_string(path).expect("a text")).expect("valid");
        let timeline = Timeline::of(&sim::run(&rehearsals[0].setup));
        let first = timeline.workloads()[0].series(Series::StartedJobs).points().iter().find(|p| p.1 == 1);
        assert_eq!(first.map(|p| p.0.as_ms()), Some(hours * 3_600_000 + 100), "{file}");
    }
}
