//! The ground that pods stand on, before it is drawn as a picture, as text or
//! in a report: what the machines offer and what is asked of them, and how
//! many pods are ready in each zone.

use crate::time::{SECOND, SimTime, Span};
use crate::timeline::{Band, Capacity, Series, Steps, Timeline, Workload, ZoneLoad};

/// What a part means; themes give it its colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ink {
    /// Asked for by pods on nodes.
    Requested,
    /// Asked for by pods without a node.
    Pending,
    /// Offered.
    Offered,
    /// Nodes, or pods, that are ready.
    Sound,
    /// Those that are not, or are going.
    Unsound,
}

/// An area of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) steps: Steps,
    pub(crate) ink: Ink,
}

/// A plot of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Whether it needs more room than others.
    pub(crate) tall: bool,
    /// From the bottom to the top.
    pub(crate) layers: Vec<Layer>,
    pub(crate) line: Option<Layer>,
    /// What one of its units is in the picture: 100 where it counts in
    /// hundredths.
    pub(crate) unit: i64,
    /// The most of it at any moment.
    pub(crate) most: i64,
}

/// Rows below each other on one axis of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ground {
    pub(crate) rows: Vec<Row>,
    /// What parts are called and whether they are lines.
    pub(crate) legend: Vec<(&'static str, Ink, bool)>,
    /// What happened, in a sentence.
    pub(crate) headline: String,
}

/// A number of hundredths with as many digits as it needs.
pub(crate) fn amount(value: i64, unit: i64) -> String {
    match (unit, value % unit) {
        (1, _) | (_, 0) => (value / unit).to_string(),
        (_, rest) if rest % 10 == 0 => format!("{}.{}", value / unit, rest / 10),
        (_, rest) => format!("{}.{rest:02}", value / unit),
    }
}

impl Row {
    fn new(name: String, tall: bool, layers: Vec<Layer>, line: Option<Layer>, unit: i64) -> Row {
        Row { name, tall, layers, line, unit, most: unit }
    }

    fn measured(mut self, from: SimTime, end: SimTime) -> Row {
        let sum = self.layers.iter().fold(Steps::default(), |sum, layer| sum.zip_with(&layer.steps, |a, b| a + b));
        let line = self.line.as_ref().map_or(0, |line| line.steps.max_over(from, end));
        self.most = sum.max_over(from, end).max(line).max(self.unit);
        self
    }
}

impl Ground {
    /// What the machines offer, and what is asked of them, in a half-open
    /// range of time; the sentence tells until `told`.
    pub(crate) fn capacity(timeline: &Timeline, (from, end): (SimTime, SimTime), told: SimTime) -> Ground {
        let capacity = timeline.capacity();
        let layer = |name, steps: &Steps, ink| Layer { name, steps: steps.clone(), ink };
        let band = |name: &str, band: &Band| {
            let asked = vec![
                layer("requested", &band.requested, Ink::Requested),
                layer("pending", &band.pending, Ink::Pending),
            ];
            let offered = layer("allocatable", &band.allocatable, Ink::Offered);
            Row::new(name.to_string(), true, asked, Some(offered), 100)
        };
        let sound = capacity.nodes.zip_with(&capacity.unready, |all, unready| all - unready);
        let mut nodes = vec![layer("ready", &sound, Ink::Sound)];
        let unsound = capacity.unready.max_over(from, end) > 0;
        nodes.extend(unsound.then(|| layer("not ready", &capacity.unready, Ink::Unsound)));
        let nodes = Row::new("nodes".to_string(), false, nodes, None, 1);
        let asked = |b: &Band| b.requested.max_over(from, end) > 0 || b.pending.max_over(from, end) > 0;
        let mut rows = vec![band("cores", &capacity.cpu)];
        rows.extend(asked(&capacity.memory).then(|| band("GiB", &capacity.memory)));
        rows.push(nodes);
        let mut legend = vec![
            ("requests of pods on nodes", Ink::Requested, false),
            ("requests of pods without a node", Ink::Pending, false),
            ("allocatable", Ink::Offered, true),
            ("nodes", Ink::Sound, false),
        ];
        legend.extend(unsound.then_some(("nodes that are not ready", Ink::Unsound, false)));
        let headline = capacity_words(capacity, from, told);
        Ground { rows: rows.into_iter().map(|row| row.measured(from, end)).collect(), legend, headline }
    }

    /// How many pods of a workload are ready in each zone, in a half-open
    /// range of time; the sentence tells until `told`.
    pub(crate) fn zones(
        timeline: &Timeline,
        workload: &Workload,
        (from, end): (SimTime, SimTime),
        told: SimTime,
    ) -> Ground {
        let row = |zone: &String| {
            let load = workload.zones().iter().find(|load| load.zone == *zone);
            let steps = |of: fn(&ZoneLoad) -> &Steps| load.map(of).cloned().unwrap_or_default();
            let (ready, on_node) = (steps(|l| &l.ready), steps(|l| &l.on_node));
            let rest = on_node.zip_with(&ready, |on, ready| on - ready);
            let layers = vec![
                Layer { name: "ready", steps: ready, ink: Ink::Sound },
                Layer { name: "not ready", steps: rest, ink: Ink::Unsound },
            ];
            Row::new(format!("zone {zone}"), false, layers, None, 1).measured(from, end)
        };
        let mut rows: Vec<Row> = timeline.capacity().zones.iter().map(row).collect();
        // Zones are compared, so they have one scale.
        let most = rows.iter().map(|row| row.most).max().unwrap_or(1);
        for row in &mut rows {
            row.most = most;
        }
        let headline = zone_words(timeline, workload, &rows, from, told);
        let legend = vec![("ready", Ink::Sound, false), ("on a node, not ready or going", Ink::Unsound, false)];
        Ground { rows, legend, headline }
    }
}

fn zone_words(timeline: &Timeline, workload: &Workload, rows: &[Row], from: SimTime, end: SimTime) -> String {
    // What is there before all pods are says nothing.
    let from = from.max(workload.settled().unwrap_or(from));
    let part = |row: &Row| format!("{}: {} at least", row.name, row.layers[0].steps.min_over(from, end));
    let parts: Vec<String> = rows.iter().map(part).collect();
    let skew = workload.skew(timeline).max_over(from, end);
    let all = workload.series(Series::Ready).min_over(from, end);
    format!("at least {all} ready ({}), skew at most {skew}", parts.join(", "))
}

/// Whether more is asked for at some moment than all machines offer together.
fn is_short(band: &Band, from: SimTime, end: SimTime) -> bool {
    let asked = band.requested.zip_with(&band.pending, |on, waits| if waits > 0 { on + waits } else { 0 });
    asked.zip_with(&band.allocatable, |asked, offered| asked - offered).max_over(from, end) > 0
}

fn capacity_words(capacity: &Capacity, from: SimTime, end: SimTime) -> String {
    let cpu = &capacity.cpu;
    let most = |steps: &Steps| amount(steps.max_over(from, end), 100);
    let waits = cpu.pending.duration_where(from, end, |value| value > 0);
    // Every pod is without a node for a moment.
    let waits = Span::from_secs(waits.0 / SECOND);
    let waiting = match waits {
        Span::ZERO => "nothing had to wait".to_string(),
        // For a free piece that is large enough, a GPU, or another zone.
        _ if !is_short(cpu, from, end) && !is_short(&capacity.memory, from, end) => {
            format!("{} waited at most, {waits} in all, though in sum there was room", most(&cpu.pending))
        }
        _ => format!("{} waited at most, {waits} in all", most(&cpu.pending)),
    };
    let offered = (cpu.allocatable.min_over(from, end), cpu.allocatable.max_over(from, end));
    let of = match offered {
        (least, most) if least == most => amount(most, 100),
        (least, most) => format!("{} to {}", amount(least, 100), amount(most, 100)),
    };
    match cpu.requested.max_over(from, end) + cpu.pending.max_over(from, end) {
        0 => format!("{of} cores, of which nothing is requested"),
        _ => format!("at most {} cores requested of {of}; {waiting}", most(&cpu.requested)),
    }
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn amounts_have_the_digits_they_need() {
        for (value, unit, wanted) in
            [(400, 100, "4"), (450, 100, "4.5"), (425, 100, "4.25"), (7, 1, "7"), (5, 100, "0.05")]
        {
            assert_eq!(amount(value, unit), wanted);
        }
    }
}
