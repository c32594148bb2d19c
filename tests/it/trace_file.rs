use crate::fixture;
use seatrial::api::Kind;
use seatrial::error::Error;
use seatrial::time::{SimTime, Timestamp};
use seatrial::trace::{Emitted, Field, Record, RecordId, Stage, Subject, SubjectId, Trace, Value, What, Why};
use seatrial::trace_file::{first_difference, read, write};
use std::io::{self, Write};

fn text(trace: &Trace) -> String {
    let mut out = Vec::new();
    write(trace, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// The records with strings instead of symbols.
fn records(trace: &Trace) -> Vec<String> {
    let resolved = |record: &Record| {
        let words = match record.what {
            What::Set { value: Value::Text(text), .. } => trace.symbols.get(text).to_string(),
            What::Emitted(Emitted::Other { reason, message, warning }) => {
                format!("{} {} {warning}", trace.symbols.get(reason), trace.symbols.get(message))
            }
            What::Rejected { action, object, reason, message } => {
                format!("{action} {object} {} {}", trace.symbols.get(reason), trace.symbols.get(message))
            }
            What::Failed { exit_code, reason } => {
                format!("{exit_code:?} {:?}", reason.map(|r| trace.symbols.get(r)))
            }
            What::DisruptionTarget { reason } => trace.symbols.get(reason).to_string(),
            other => format!("{other:?}"),
        };
        let (what, at) = (record.what.event(), record.at);
        format!("{at:?} {:?} {:?} {what} {words}", record.cause, record.subject)
    };
    trace.records.iter().map(resolved).collect()
}

fn check_round_trip(trace: &Trace) {
    let written = text(trace);
    let again = read(written.as_bytes()).expect("what was written can be read");
    assert_eq!(again.header, trace.header);
    assert_eq!(again.subjects, trace.subjects);
    assert_eq!(records(&again), records(trace));
    assert_eq!(again.digest(), trace.digest());
    assert_eq!(text(&again), written);
    assert_eq!(first_difference(trace, &again), None);
}

/// A trace with every kind of record and with names that are hard to tell
/// apart: the same path in two namespaces and twice in one.
fn everything() -> Trace {
    let mut trace = Trace::default();
    trace.header.start = Timestamp(1_767_571_200);
    trace.header.until = SimTime(u64::MAX);
    trace.header.seed = u64::MAX;
    trace.header.title = "quotes \" and\nlines — 漢字".to_string();
    trace.header.actions = vec![(SimTime(5), "set image".to_string())];
    trace.header.assumptions = vec!["none".to_string()];
    let names = [
        (Kind::Node, "", "node-a"),
        (Kind::Deployment, "default", "web"),
        (Kind::Deployment, "shop", "web"),
        (Kind::ReplicaSet, "default", "web/1"),
        (Kind::Pod, "default", "web/1#0"),
        (Kind::Deployment, "default", "web"),
        (Kind::Node, "", "node-a"),
        (Kind::Node, "odd", "node-b"),
    ];
    for (i, (kind, namespace, name)) in names.into_iter().enumerate() {
        trace.subjects.push(Subject {
            kind,
            namespace: namespace.into(),
            name: name.into(),
            api_name: format!("{name}-x").into(),
            owner: (kind == Kind::Pod).then_some(SubjectId(3)),
            revision: i as u32 % 3,
            room: seatrial::api::Resources { cpu_milli: i as i64 % 2 * 500, memory_milli: 7, pods: 1 },
            zone: (kind == Kind::Node).then(|| "a".into()),
        });
    }
    let word = trace.symbols.intern("a \"word\"\t\u{7}");
    let mut whats = vec![
        What::Created,
        What::Deleted,
        What::Unschedulable,
        What::Bound { node: SubjectId(0) },
        What::Bound { node: SubjectId(6) },
        What::Bound { node: SubjectId(7) },
        What::Running,
        What::Ready,
        What::Unready,
        What::Restarted { count: 3 },
        What::DisruptionTarget { reason: word },
        What::Deleting { grace_seconds: 30 },
        What::Succeeded { exit_code: 0 },
        What::Failed { exit_code: Some(-1), reason: None },
        What::Failed { exit_code: None, reason: Some(word) },
        What::Removed,
        What::Emitted(Emitted::Scaled { replica_set: SubjectId(3), from: 0, to: 5 }),
        What::Emitted(Emitted::CreatedPod(SubjectId(4))),
        What::Emitted(Emitted::DeletedPod(SubjectId(4))),
        What::Emitted(Emitted::Other { reason: word, message: word, warning: true }),
        What::Emitted(Emitted::Other { reason: word, message: word, warning: false }),
        What::Action(0),
        What::Action(99),
        What::Rejected { action: 0, object: true, reason: word, message: word },
        What::Rejected { action: 0, object: false, reason: word, message: word },
        What::Clock { component: word, offset_ns: i64::MIN, drift_ppb: -50_000 },
        What::Process { component: word, runs: false },
        What::Wrote { key: word },
        What::Answers,
        What::Silent,
        What::Killed,
        What::Stage { stage: Stage::PullBackOff, name: word },
        What::Lost { key: word },
    ];
    for value in [Value::Absent, Value::Int(i64::MIN), Value::Bool(true), Value::Text(word)] {
        whats.extend(Field::ALL.map(|field| What::Set { field, value }));
    }
    whats.extend(
        [
            Why::SurgeAllows { all: 1, max_total: -2 },
            Why::ScaleDownBudget { all: 1, min_available: 2, new_unavailable: 3 },
            Why::TooFewAvailable { available: 1, min_available: 2 },
            Why::Scaling { allowed: 1, all: 2 },
            Why::NewTemplate { revision: 7 },
            Why::RecreateStops,
            Why::RecreateWaits,
            Why::RolloutComplete,
            Why::Paused,
            Why::DeadlineExceeded { seconds: 600 },
            Why::HistoryLimit { limit: 10 },
            Why::TooFewPods { have: 1, want: 2 },
            Why::TooManyPods { have: 2, want: 1 },
            Why::AwaitingExpectations,
            Why::OwnerGone,
            Why::ForegroundDeletion,
            Why::DependentsGone,
            Why::Orphaned,
        ]
        .map(What::Decided),
    );
    for (i, what) in whats.into_iter().enumerate() {
        let cause = if i % 3 == 0 { RecordId::NONE } else { RecordId(i as u32 / 2) };
        let subject = SubjectId((i % names.len()) as u32);
        trace.push(SimTime(i as u64 / 4), cause, subject, what);
    }
    trace
}

#[test]
fn traces_come_back_as_they_were() {
    check_round_trip(&Trace::default());
    check_round_trip(&fixture::rollout());
    check_round_trip(&fixture::stalled());
    check_round_trip(&everything());
}

#[test]
fn lines_read_well() {
    let written = text(&fixture::rollout());
    for line in [
        r#"{"n":0,"t_ns":0,"object":"Node/node-a","event":"created"}"#,
        r#""object":"Deployment/web","event":"changed","field":"spec.replicas","value":10,"cause":3"#,
        r#""object":"Pod/web/1#0","event":"bound","node":"node-a","#,
        r#""event":"decided","cause":85,"why":"surgeAllows","all":10,"maxTotal":13}"#,
        r#""event":"emitted","replicaSet":"web/2","from":0,"to":3,"type":"Normal","reason":"ScalingReplicaSet","message":"Scaled up replica set web/2 from 0 to 3","#,
        r#""event":"action","action":0,"do":"set image deployment/web app:v2"}"#,
        r#""event":"deleting","graceSeconds":30,"#,
        r#"{"subject":5,"kind":"Pod","namespace":"default","name":"web/1#0","apiName":"web-1-0","owner":4,"revision":1}"#,
    ] {
        assert!(written.contains(line), "{line}\nis not in\n{written}");
    }
}

fn fault(input: &str) -> String {
    let error: Error = read(input.as_bytes()).map(|_| ()).expect_err("this is no trace");
    error.to_string()
}

#[test]
fn a_cut_file_is_noticed_wherever_it_was_cut() {
    let written = text(&fixture::rollout());
    let last = written.len() - 1;
    for end in (0..last).step_by(97).chain([last - 1]) {
        let cut = &written[..end];
        let message = fault(cut);
        let expected = if cut.lines().count() <= 1 { "header" } else { "cut off" };
        assert!(message.contains(expected), "{end}: {message}");
        let lines = if cut.ends_with('\n') { cut.lines().count() + 1 } else { cut.lines().count() };
        let line = format!("line {}: ", lines.max(1));
        let whole_lines = written.as_bytes()[end] == b'\n';
        assert!(message.starts_with(&line) || whole_lines, "{end}: {line} {message}");
    }
}

#[test]
fn contradictions_are_named_with_their_line() {
    let header = r#"{"seatrial":"trace","version":1,"start":"2026-01-05T00:00:00Z","until_ns":9,"seed":1,"title":"","actions":[],"assumptions":[],"subjects":1,"records":2}"#;
    let web = r#"{"subject":0,"kind":"Deployment","namespace":"default","name":"web","apiName":"web"}"#;
    let first = r#"{"n":0,"t_ns":5,"object":"Deployment/web","event":"created"}"#;
    let second = |rest: &str| format!("{header}\n{web}\n{first}\n{{\"n\":1,{rest}}}\n");
    let web_is = r#""object":"Deployment/web""#;
    for (input, expected) in [
        (String::new(), "line 1: the trace is empty: not even a header"),
        ("hello\n".to_string(), "line 1: this is not a trace of seatrial"),
        ("[1,2]\n".to_string(), "line 1: this is not a trace of seatrial"),
        (r#"{"seatrial":"report","version":1}"#.to_string(), "this is not a trace"),
        (
            r#"{"seatrial":"trace","version":2}"#.to_string(),
            "line 1: version 2 of the trace format is not known here (run",
        ),
        (header.replace("2026", "20x6"), "line 1: start: "),
        (header.to_string(), "line 2: the header promises 1 subjects and 2 records, but 0 and 0 are there"),
        (format!("{header}\n{first}\n"), r#"line 2: nothing called "Deployment/web" has been introduced"#),
        (format!("{header}\n{web}\n{web}\n"), "line 3: subject 0 stands where 1 should"),
        (format!("{header}\n{}\n", web.replace("Deployment", "Cake")), r#"line 2: the kind "Cake" is not known"#),
        (format!("{header}\n{}\n", web.replace('}', r#","owner":7}"#)), "line 2: the owner 7 is not one of 1 subjects"),
        (
            format!("{header}\n{web}\n\n{}\n", first.replace("\"n\":0", "\"n\":3")),
            "line 4: record 3 stands where 0 should",
        ),
        (second(&format!(r#""t_ns":4,{web_is},"event":"deleted""#)), "line 4: time goes back"),
        (
            second(&format!(r#""t_ns":5,{web_is},"event":"deleted","cause":1"#)),
            "line 4: the cause 1 does not come before its effect 1",
        ),
        (second(&format!(r#""t_ns":5,{web_is},"event":"sang""#)), r#"line 4: the event "sang" is not known"#),
        (second(&format!(r#""t_ns":5,{web_is},"subject":9,"event":"deleted""#)), "line 4: there is no subject 9 yet"),
        (
            second(&format!(r#""t_ns":5,{web_is},"event":"changed","field":"x","value":1"#)),
            r#"line 4: the field "x" is not known"#,
        ),
        (second(&format!(r#""t_ns":5,{web_is},"event":"changed","value":1"#)), r#"line 4: "field" is missing"#),
        (
            second(&format!(r#""t_ns":5,{web_is},"event":"changed","field":"status.replicas","value":1.5"#)),
            "line 4: status.replicas cannot be 1.5",
        ),
        (second(&format!(r#""t_ns":5,{web_is},"event":"bound","node":"n""#)), r#"line 4: nothing called "Node/n""#),
        (
            second(&format!(r#""t_ns":5,{web_is},"event":"decided","why":"mood""#)),
            "line 4: not a line of a trace: unknown variant `mood`",
        ),
        (
            second(&format!(r#""t_ns":5,{web_is},"event":"decided","why":"newTemplate""#)),
            "line 4: not a line of a trace: missing field `revision`",
        ),
        (
            second(&format!(r#""t_ns":-5,{web_is},"event":"deleted""#)),
            "line 4: not a line of a trace: invalid value: integer `-5`",
        ),
    ] {
        let message = fault(&input);
        assert!(message.contains(expected), "expected: {expected}\n   found: {message}");
    }
}

#[test]
fn noise_never_panics() {
    let written = text(&everything());
    let lines: Vec<&str> = written.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        for (from, to) in [("\"n\"", "\"m\""), (":", ""), ("0", "99"), ("{", "["), ("\"", "")] {
            let mut noisy = lines.clone();
            let replaced = line.replacen(from, to, 1);
            noisy[i] = &replaced;
            let _ = read(noisy.join("\n").as_bytes());
        }
    }
    let _ = read(&[0xff, 0xfe, 0x00, b'\n'][..]);
}

/// Takes so many bytes and then is full.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        match taken {
            0 => Err(io::Error::from(io::ErrorKind::StorageFull)),
            taken => Ok(taken),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let trace = fixture::stalled();
    let size = text(&trace).len();
    assert!(write(&trace, &mut Disk(size)).is_ok());
    for room in [0, 10, size - 1] {
        let error = write(&trace, &mut Disk(room)).expect_err("it does not fit");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}

#[test]
fn the_first_difference_is_found() {
    let a = fixture::rollout();
    let mut b = a.clone();
    b.records[40].at = SimTime::from_ms(b.records[40].at.as_ms() + 1);
    b.records.truncate(60);
    let (id, ours, theirs) = first_difference(&a, &b).expect("they differ");
    assert_eq!(id, RecordId(40));
    assert_ne!(ours, theirs);
    b.records[40].at = a.records[40].at;
    let (id, _, theirs) = first_difference(&a, &b).expect("one is longer");
    assert_eq!((id, theirs), (RecordId(60), None));
}
