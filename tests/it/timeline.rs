use crate::fixture::{self, Act, Player, WEB};
use seatrial::api::Kind;
use seatrial::time::{SimTime, Span};
use seatrial::timeline::{Series, Timeline, Workload};
use seatrial::trace::{Trace, What};

fn s(seconds: u64) -> SimTime {
    SimTime::from_secs(seconds)
}

fn web(timeline: &Timeline) -> &Workload {
    timeline.workload(Kind::Deployment, "default", "web").expect("the fixture has it")
}

/// The series' points as (seconds, value).
fn points(workload: &Workload, series: Series) -> Vec<(u64, i64)> {
    let steps = workload.series(series).points();
    steps.iter().map(|&(at, value)| (at.as_ms() / 1_000, value)).collect()
}

#[test]
fn a_rollout_becomes_series() {
    let timeline = Timeline::of(&fixture::rollout());
    let web = web(&timeline);
    for (series, expected) in [
        (Series::Available, &[(0, 0), (20, 10), (60, 8), (100, 10)][..]),
        (Series::Desired, &[(0, 10)]),
        (Series::Ceiling, &[(0, 13)]),
        (Series::Floor, &[(0, 8)]),
        (Series::Counted, &[(0, 10), (60, 13), (100, 10)]),
        (Series::Updated, &[(0, 10), (60, 5), (80, 10)]),
        (Series::OnNode, &[(0, 10), (60, 15), (80, 20), (90, 18), (110, 13), (130, 10)]),
        (Series::Terminating, &[(60, 2), (80, 7), (90, 5), (100, 8), (110, 3), (130, 0)]),
    ] {
        assert_eq!(points(web, series), expected, "{}", series.name());
    }
}

#[test]
fn the_rollout_itself_is_found() {
    let timeline = Timeline::of(&fixture::rollout());
    let rollouts = web(&timeline).rollouts();
    let seen: Vec<_> = rollouts.iter().map(|r| (r.number, r.initial, r.start, r.duration())).collect();
    let expected = [(1, true, s(0), Some(Span::from_secs(20))), (2, false, s(60), Some(Span::from_secs(40)))];
    assert_eq!(seen, expected);
    let revisions: Vec<_> = web(&timeline).revisions().iter().map(|r| (&*r.name, r.number, &*r.image)).collect();
    assert_eq!(revisions, [("web/1", 1, "app:v1"), ("web/2", 2, "app:v2")]);
}

#[test]
fn a_stall_is_noticed_and_an_undo_renumbers() {
    let timeline = Timeline::of(&fixture::stalled());
    let web = web(&timeline);
    let rollouts = web.rollouts();
    assert_eq!(rollouts.len(), 3);
    assert_eq!(rollouts[1].stalled, Some(s(660)));
    assert_eq!(rollouts[1].superseded, Some(s(900)));
    assert_eq!((rollouts[2].revision, rollouts[2].number), (0, 3));
    assert!(rollouts[2].end.is_some());
    assert_eq!(web.revisions()[0].renumbered, [(s(900), 3)]);
    assert!(web.series(Series::Restarts).last() > 10);
    assert_eq!(web.series(Series::Available).min_over(s(20), timeline.end()), 8);
}

#[test]
fn series_agree_with_a_scan_of_the_records() {
    let trace = Player::new("", 400_000)
        .deployment(WEB)
        .at(30_000, Act::SetImage("app:v2"))
        .at(45_000, Act::Scale(14))
        .at(60_000, Act::SetImage("app:v3"))
        .at(200_000, Act::Scale(3))
        .play();
    let timeline = Timeline::of(&trace);
    let web = web(&timeline);
    for at in (0..400).map(s) {
        for (series, count) in scan(&trace, at) {
            assert_eq!(web.series(series).at(at), count, "{} at {at}", series.name());
        }
        let by_revision: i64 = web.revisions().iter().map(|r| r.ready.at(at)).sum();
        assert_eq!(by_revision, web.series(Series::Ready).at(at), "ready by revision at {at}");
        let by_node: i64 = timeline.nodes().iter().map(|n| n.pods.at(at)).sum();
        assert_eq!(by_node, web.series(Series::OnNode).at(at), "pods by node at {at}");
    }
}

/// Counts pods the slow way: for each pod, its records up to a moment.
fn scan(trace: &Trace, at: SimTime) -> Vec<(Series, i64)> {
    let mut counts = [0; 5];
    for (i, subject) in trace.subjects.iter().enumerate() {
        if subject.kind != Kind::Pod {
            continue;
        }
        let past: Vec<What> =
            trace.records.iter().filter(|r| r.subject.0 as usize == i && r.at <= at).map(|r| r.what).collect();
        let had = |f: fn(&What) -> bool| past.iter().any(f);
        let exists = !past.is_empty() && !had(|w| matches!(w, What::Removed));
        let bound = had(|w| matches!(w, What::Bound { .. }));
        let ready = had(|w| matches!(w, What::Ready));
        let deleting = had(|w| matches!(w, What::Deleting { .. }));
        counts[0] += i64::from(exists);
        counts[1] += i64::from(exists && bound);
        counts[2] += i64::from(exists && ready && !deleting);
        counts[3] += i64::from(exists && deleting);
        counts[4] += i64::from(exists && !bound);
    }
    let series = [Series::Existing, Series::OnNode, Series::Ready, Series::Terminating, Series::Pending];
    series.into_iter().zip(counts).collect()
}

#[test]
fn actions_belong_to_what_they_touched() {
    let trace = Player::new("", 100_000)
        .deployment(WEB)
        .at(30_000, Act::SetImage("app:v2"))
        .deployment(fixture::Shape { name: "api", ..WEB })
        .at(50_000, Act::Scale(4))
        .play();
    let timeline = Timeline::of(&trace);
    let texts = |w: &Workload| w.actions().iter().map(|a| a.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&timeline.workloads()[0]), ["set image deployment/web app:v2"]);
    assert_eq!(texts(&timeline.workloads()[1]), ["scale deployment/api to 4"]);
    assert_eq!(timeline.actions.len(), 2);
}

#[test]
fn an_empty_trace_has_no_workloads() {
    let timeline = Timeline::of(&Trace::default());
    assert!(timeline.workloads().is_empty() && timeline.nodes().is_empty());
    assert_eq!(timeline.end(), SimTime(1));
}
