//! Reports in a real browser: what people click, type and read. Without a
//! Chromium on this machine there is nothing to see, and the tests say so.

use super::chromium::Browser;
use super::cli::{folder, seatrial};
use super::manifests::WEB;
use serde_json::json;
use std::path::PathBuf;
use tempfile::TempDir;

/// Runs a command that must succeed, and gives what it printed.
fn printed(dir: &TempDir, arguments: &[&str]) -> String {
    let output = seatrial(dir, arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn page(dir: &TempDir) -> PathBuf {
    dir.path().join("report.html")
}

/// Looks at a page in both themes, and at it printed.
fn looks(browser: &mut Browser, page: &std::path::Path) {
    let mut seen = Vec::new();
    for theme in ["dark", "light"] {
        browser.open(page, theme);
        assert_eq!(browser.run("document.documentElement.dataset.theme"), theme);
        // Nothing is wider than the window.
        assert_eq!(browser.run("document.documentElement.scrollWidth <= innerWidth"), true, "{theme}");
        let (png, pdf) = browser.pictures();
        assert!(pdf.len() > 20_000, "the print has {} bytes", pdf.len());
        seen.push(png);
    }
    assert_ne!(seen[0], seen[1], "dark and light differ");
    // After a print the page is what it was before.
    browser.settle();
    assert_eq!(browser.run("document.documentElement.dataset.theme"), "light");
}

/// Everything that can be reached has a name for those who do not see it.
fn everything_has_a_name(browser: &mut Browser) {
    let nameless = browser.run(
        "[...document.querySelectorAll('button, input, select, canvas[tabindex], [role=listbox]')].filter(e => \
         !(e.getAttribute('aria-hidden') || e.getAttribute('aria-label') || e.innerText.trim() || e.title || \
         (e.labels && e.labels.length))).map(e => e.outerHTML)",
    );
    assert_eq!(nameless, json!([]));
}

const SWEEP: [&str; 10] = [
    "sweep",
    "web.yaml",
    "--set",
    "deployment/web.maxSurge=0,1,25%,50%",
    "--set",
    "deployment/web.maxUnavailable=0,1,25%",
    "--seeds",
    "12",
    "--report",
    "report.html",
];

#[test]
fn a_sweep_is_explored() {
    let Some(mut browser) = Browser::start() else { return };
    let dir = folder(&[("web.yaml", WEB)]);
    let sentence = |text: &str| text.lines().last().unwrap_or_default().trim().to_string();
    let told = sentence(&printed(&dir, &SWEEP));
    let page = page(&dir);
    looks(&mut browser, &page);
    everything_has_a_name(&mut browser);
    assert_eq!(browser.text("#advice"), told);
    assert_eq!(browser.text("#cell h2"), "maxSurge=25% maxUnavailable=25%", "it begins with what the manifest says");

    // The floor moves the sentence, and it is what the command says.
    for floor in ["9", "8", "11", "0"] {
        browser.fill(".floor input[type=number]", floor);
        let told = sentence(&printed(&dir, &[&SWEEP[..8], &["--floor", floor]].concat()));
        assert_eq!(browser.text("#advice"), told, "--floor {floor}");
    }
    browser.fill(".floor input[type=number]", "10");

    // A slider shows another setting; a value that is held fast moves the advice.
    browser.run("document.querySelectorAll('.param input[type=range]')[0].focus()");
    browser.press("ArrowLeft");
    assert_eq!(browser.text("#cell h2"), "maxSurge=1 maxUnavailable=25%");
    assert_eq!(browser.run("document.querySelector('.param input[type=range]').getAttribute('aria-valuetext')"), "1");
    browser.click(".param .only input");
    assert!(browser.text("#advice").starts_with("With maxSurge=1: To keep at least 10 of 10 available"));
    browser.click(".param .only input");

    // What to choose is shown, and its worst run can be seen again.
    browser.run("[...document.querySelectorAll('button')].find(b => b.innerText === 'Show what to choose').click()");
    browser.settle();
    assert!(told.contains(&format!("choose {}:", browser.text("#cell h2"))), "{told}");
    assert_eq!(browser.run("document.activeElement.id"), "cell");
    let command = browser.text("#command");
    let words: Vec<&str> = command.split(' ').skip(1).chain(["-o", "json"]).collect();
    let report: serde_json::Value = serde_json::from_str(&printed(&dir, &words)).expect("JSON");
    let rollout = &report["scenarios"][0]["workloads"][0]["rollouts"][1];
    let took = rollout["endMs"].as_u64().zip(rollout["startMs"].as_u64()).map(|(end, start)| end - start);
    let worst = browser.run(
        "data_of_run = JSON.parse(document.getElementById('data').textContent).sweep, \
        Math.max(...data_of_run.points.find(p => p.label === document.querySelector('#cell h2').innerText).runs[0])",
    );
    assert_eq!(took, worst.as_u64(), "{command}");

    // Its timeline is there, and those of the median and the best run.
    let seed = command.rsplit(' ').next().unwrap_or_default().to_string();
    for (rank, same) in [("Worst", true), ("Best", false), ("Median", false), ("Worst", true)] {
        browser.click(&format!("#run [data-rank={rank}]"));
        let shown = browser.text("#run [role=status]");
        assert!(shown.contains(": fewest available ") || shown.contains(": rollout "), "{shown}");
        assert!(!same || shown.contains(&seed), "{rank}: {shown} is not of {seed}");
        browser.wait("document.querySelector('#run img').complete");
        assert_eq!(browser.run("document.querySelector('#run img').naturalWidth"), 1_000, "{rank}");
        let picture = browser.run("decodeURIComponent(document.querySelector('#run img').src)");
        let picture = picture.as_str().unwrap_or_default();
        assert!(picture.contains("background") || picture.contains("#FFFFFF"), "in the colours of the light page");
        assert!(!picture.contains("#{"), "each colour is there");
    }
    printed(&dir, &SWEEP);

    // The trade-off by mouse and by keyboard.
    browser.run("document.querySelector('.plots canvas').focus()");
    browser.press("ArrowRight");
    let tip = browser.text("#tip");
    assert!(tip.contains("the rollout takes") && tip.contains("fewest available"), "{tip}");
    let before = browser.text("#cell h2");
    browser.press("ArrowRight");
    browser.press("Enter");
    assert_ne!(browser.text("#cell h2"), before);
    let place = browser.run(
        "(() => { const r = document.querySelector('.plots canvas').getBoundingClientRect(); return [r.width, r.height]; })()",
    );
    assert!(place[0].as_f64().is_some_and(|width| width > 300.0), "{place}");

    // The heat map.
    browser.run("document.querySelector('.heat button[aria-pressed=true]').focus()");
    browser.press("ArrowDown");
    browser.press("ArrowUp");
    let here = browser.run("document.activeElement.getAttribute('aria-label')");
    assert!(here.as_str().is_some_and(|text| text.contains("maxUnavailable")), "{here}");
    assert_eq!(browser.run("document.querySelectorAll('.heat .none').length"), 1, "one setting is refused");
    // The table, sorted by another figure.
    browser.click("#settings th:nth-child(3) button");
    assert_eq!(
        browser.run("document.querySelector('#settings th:nth-child(3)').getAttribute('aria-sort')"),
        "ascending"
    );
    let rows = browser.run("document.querySelectorAll('#settings tbody tr').length");
    assert_eq!(rows, 11);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

const CRON_JOB: &str = "apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: '*/5 * * * *'
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}}}
---
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: a report that takes long}
spec:
  duration: 32m
  pods:
    '*': {start: 1s, terminate: 10s, run: {duration: 7m}}
";

#[test]
fn a_comparison_says_which_run_was_killed_when_and_why() {
    let Some(mut browser) = Browser::start() else { return };
    let dir = folder(&[("cron.yaml", CRON_JOB)]);
    let set = "cronjob/report.concurrencyPolicy=Forbid,Replace";
    printed(&dir, &["compare", "cron.yaml", "--set", set, "--report", "report.html"]);
    let page = page(&dir);
    looks(&mut browser, &page);
    everything_has_a_name(&mut browser);
    // Without clicking: how many were stopped.
    let compared = browser.text("#compared");
    assert!(compared.contains("runs stopped") && compared.contains("held back"), "{compared}");
    // By the keyboard: the second chart is Replace's; its first bar that was stopped.
    browser.run("document.querySelectorAll('figure:not(.ground, .nodes) canvas')[1].focus()");
    let mut tip = String::new();
    for _ in 0..12 {
        browser.press("ArrowRight");
        tip = browser.text("#tip");
        if tip.contains("stopped after") {
            break;
        }
    }
    assert!(tip.contains("stopped after"), "{tip}");
    browser.press("Enter");
    assert_eq!(browser.run("document.activeElement.id"), "why");
    let why = browser.text("#why");
    assert!(why.contains("Why in Replace?") && why.contains("cronjob_controllerv2.go"), "{why}");
    // Variants stand side by side when asked.
    let beside = "(() => { const [a, b] = [...document.querySelectorAll('.variant')].map(v => v.getBoundingClientRect()); return a.top === b.top; })()";
    assert_eq!(browser.run(beside), false);
    browser.run("[...document.querySelectorAll('button')].find(b => b.innerText === 'Side by side').click()");
    browser.settle();
    assert_eq!(browser.run(beside), true);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

#[test]
fn a_rollout_is_looked_into() {
    let Some(mut browser) = Browser::start() else { return };
    let dir = folder(&[("web.yaml", WEB)]);
    printed(&dir, &["run", "web.yaml", "--report", "report.html"]);
    let page = page(&dir);
    looks(&mut browser, &page);
    everything_has_a_name(&mut browser);
    // Over the plot a tip has the numbers, a click the reason.
    let share = |browser: &mut Browser, up: u32| {
        let height = browser.run("document.querySelector('canvas').getBoundingClientRect().height");
        1.0 - f64::from(up) / height.as_f64().expect("a height")
    };
    let plot = share(&mut browser, 140);
    browser.hover("canvas", 0.6, plot);
    let tip = browser.text("#tip");
    assert!(tip.contains("available "), "{tip}");
    browser.click_at("canvas", 0.3, plot);
    assert!(browser.run("document.querySelectorAll('#why li').length").as_i64() > Some(1), "a chain");
    // The conditions are there, and say why.
    let tracks = browser.run(
        "JSON.parse(document.getElementById('data').textContent).variants[0].workloads[0].conditions.map(c => c.name)",
    );
    assert_eq!(tracks, json!(["Progressing", "Available"]));
    let low = share(&mut browser, 35);
    browser.click_at("canvas", 0.8, low);
    let why = browser.text("#why");
    assert!(why.contains("Progressing is") || why.contains("Available is"), "{why}");
    // A series can be hidden, and events be searched.
    browser.click(".legend button");
    assert_eq!(browser.run("document.querySelector('.legend button').getAttribute('aria-pressed')"), "false");
    browser.fill("input[type=search]", "created");
    let found = browser.text("#events [role=status]");
    assert!(!found.starts_with("0 of"), "{found}");
    let range = browser.text(".range");
    browser.run("document.querySelector('canvas').focus()");
    browser.press("+");
    assert_ne!(browser.text(".range"), range);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// A zone with two nodes goes, and pods wait for room until another comes.
const ZONES: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 8
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers: [{name: app, image: 'app:v1', resources: {requests: {cpu: 1500m, memory: 3Gi}}}]
---
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: a zone goes}
spec:
  duration: 10m
  cluster:
    zones: {a: {nodes: 2, cpu: 4, memory: 16Gi}, b: {nodes: 2, cpu: 4, memory: 16Gi}}
  pods: {'*': {start: 1s, ready: 1s, terminate: 1s}}
  actions:
  - {at: 1m, nodeDelete: b-1}
  - {at: 1m, nodeDelete: b-2}
  - {at: 4m, nodeAdd: {name: c-1, zone: c, cpu: 8, memory: 32Gi}}
";

/// How many pixels of a canvas have the colour of a part.
fn pixels(browser: &mut Browser, canvas: &str, colour: &str) -> i64 {
    let script = format!(
        "(() => {{ const c = document.querySelector({}), o = Object.assign(document.createElement('canvas'), {{width: c.width, height: c.height}}).getContext('2d', {{willReadFrequently: true}}), \
         d = (o.drawImage(c, 0, 0), o.getImageData(0, 0, c.width, c.height).data), \
         h = getComputedStyle(document.documentElement).getPropertyValue({}).trim(), \
         [r, g, b] = [1, 3, 5].map(i => parseInt(h.slice(i, i + 2), 16)); let n = 0; \
         for (let i = 0; i < d.length; i += 4) if (d[i] === r && d[i + 1] === g && d[i + 2] === b) n++; return n; }})()",
        json!(canvas),
        json!(colour)
    );
    browser.run(&script).as_i64().expect("a number")
}

#[test]
fn machines_and_zones_are_looked_into() {
    let Some(mut browser) = Browser::start() else { return };
    let dir = folder(&[("zones.yaml", ZONES), ("web.yaml", WEB)]);
    let told = printed(&dir, &["run", "zones.yaml", "--report", "report.html"]);
    let page = page(&dir);
    looks(&mut browser, &page);
    everything_has_a_name(&mut browser);
    // What the terminal says stands there too, and is open.
    let grounds = browser.run("[...document.querySelectorAll('figure.ground')].map(f => [f.querySelector('h3').innerText, f.querySelector('.headline').innerText, f.querySelector('details').open])");
    let grounds = grounds.as_array().cloned().unwrap_or_default();
    let names: Vec<&serde_json::Value> = grounds.iter().map(|ground| &ground[0]).collect();
    assert_eq!(names, ["deployment/shop by zone", "capacity"]);
    for ground in &grounds {
        let headline = ground[1].as_str().unwrap_or_default();
        assert!(told.lines().any(|line| line == headline), "{headline:?} is not in\n{told}");
        assert_eq!(ground[2], true, "{headline}");
    }
    // Pods that wait are drawn, and are not once they are switched off.
    let capacity = "figure[data-path=capacity] canvas";
    let before = pixels(&mut browser, capacity, "--badfill");
    assert!(before > 2_000, "{before} pixels of what waits");
    browser.click("figure[data-path=capacity] [data-key='ground:pending']");
    assert_eq!(pixels(&mut browser, capacity, "--badfill"), 0);
    browser.click("figure[data-path=capacity] [data-key='ground:pending']");
    assert_eq!(pixels(&mut browser, capacity, "--badfill"), before);
    // A tip has the numbers, a click the reason.
    let span = browser.run("JSON.parse(document.getElementById('data').textContent).variants[0].window");
    let (from, to) = (span[0].as_f64().expect("a time"), span[1].as_f64().expect("a time"));
    let size = browser.run(&format!(
        "(() => {{ const r = document.querySelector({}).getBoundingClientRect(); return [r.width, r.height]; }})()",
        json!(capacity)
    ));
    let (width, height) = (size[0].as_f64().expect("a width"), size[1].as_f64().expect("a height"));
    let across = |ms: f64| (92.0 + (ms - from) / (to - from) * (width - 92.0 - 118.0)) / width;
    for (ms, tip) in [(57_000.0, "cores: requested 12, pending 0, allocatable 16"), (150_000.0, "allocatable 8")] {
        browser.hover(capacity, across(ms), 100.0 / height);
        let said = browser.text("#tip");
        assert!(said.contains(tip), "{said}");
    }
    browser.click_at(capacity, across(61_000.0), 100.0 / height);
    assert!(browser.run("document.querySelectorAll('#why li').length").as_i64() > Some(1), "a chain");
    // Where nothing is to be told, it is there and closed.
    printed(&dir, &["run", "web.yaml", "--report", "report.html"]);
    browser.open(&page, "light");
    assert_eq!(browser.run("document.querySelectorAll('figure details').length"), 2, "capacity and nodes");
    assert_eq!(browser.run("document.querySelectorAll('figure details[open]').length"), 0);
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

/// A daemon on as many nodes as it takes for lanes to be left out: one dies,
/// one is cordoned, one goes and comes back.
const MANY: &str = "apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers: [{name: app, image: 'app:v1'}]
---
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: many nodes}
spec:
  duration: 10m
  cluster:
    zones: {a: {nodes: 60}, b: {nodes: 60}}
  pods: {'*': {start: 1s, ready: 1s, terminate: 1s}}
  actions:
  - {at: 1m, nodeFail: b-30}
  - {at: 2m, cordon: a-7}
  - {at: 3m, nodeDelete: b-2}
";

#[test]
fn nodes_are_looked_into_and_found_among_many() {
    let Some(mut browser) = Browser::start() else { return };
    let dir = folder(&[("many.yaml", MANY)]);
    printed(&dir, &["run", "many.yaml", "--report", "report.html"]);
    let page = page(&dir);
    looks(&mut browser, &page);
    everything_has_a_name(&mut browser);
    let headline = browser.text("figure.nodes .headline");
    let told = "1 of 120 not ready for a time, 1 cordoned, 1 tainted so that pods have to go, 1 gone";
    assert_eq!(headline, told);
    assert_eq!(browser.run("document.querySelector('figure.nodes details').open"), true);
    // Of so many nodes those are shown in which something happens.
    let status = "figure.nodes [role=status]";
    assert_eq!(browser.text(status), "40 of 120 nodes, those in which most happens");
    assert!(pixels(&mut browser, "figure.nodes canvas", "--cordoned") > 500, "one is cordoned");
    // Others are found by their names and by their zones.
    browser.fill("figure.nodes input", "zone b");
    assert_eq!(browser.text(status), "40 of 60 found, those in which most happens");
    assert_eq!(pixels(&mut browser, "figure.nodes canvas", "--cordoned"), 0, "it is in the other zone");
    browser.click("figure.nodes .bar button");
    assert_eq!(browser.text(status), "60 found");
    browser.fill("figure.nodes input", "b-30");
    assert_eq!(browser.text(status), "1 found");
    // From stretch to stretch by the keyboard, and why by Enter.
    browser.run("document.querySelector('figure.nodes canvas').focus()");
    let mut tips = Vec::new();
    for _ in 0..3 {
        browser.press("ArrowRight");
        tips.push(browser.text("#tip"));
    }
    assert!(tips[0].contains("node b-30 ready for"), "{tips:?}");
    assert!(tips[2].contains("node b-30 tainted, pods have to go"), "{tips:?}");
    browser.press("Enter");
    let why = browser.text("#why");
    assert!(why.contains("b-30") && why.contains("NotReady") | why.contains("unreachable"), "{why}");
    assert!(why.contains("dies"), "down to what somebody did: {why}");
    // The mouse says how many pods are on it.
    browser.hover("figure.nodes canvas", 0.2, 0.55);
    assert!(browser.text("#tip").ends_with("1 pod on it"), "{}", browser.text("#tip"));
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}
