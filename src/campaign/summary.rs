//! What a campaign says: figures of each point over its seeds, which points
//! are worth considering, and which to choose.

use super::part::Part;
use super::row::Row;
use crate::time::Span;

/// How a figure is spread over seeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread<T> {
    /// A tenth is not above.
    pub low: T,
    /// Half is not above.
    pub median: T,
    /// Nine tenths are not above.
    pub high: T,
}

impl<T: Copy + Ord> Spread<T> {
    /// The spread of values; `None` without any.
    fn of(values: impl Iterator<Item = T>) -> Option<Spread<T>> {
        let mut all: Vec<T> = values.collect();
        all.sort_unstable();
        // The nearest rank, so that every figure is one that happened.
        let rank = |percent: usize| all.get((all.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Spread { low: rank(10)?, median: rank(50)?, high: rank(90)? })
    }
}

/// The time of a rollout; one that was never over is longer than any other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Took {
    /// So many milliseconds.
    Ms(u64),
    /// It was not over when the run ended.
    Never,
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // Nobody plans rollouts to the millisecond.
            Took::Ms(ms) if *ms >= 10_000 => Span::from_ms((ms + 50) / 100 * 100).fmt(f),
            Took::Ms(ms) => Span::from_ms(*ms).fmt(f),
            Took::Never => f.write_str("never"),
        }
    }
}

/// The figures of a point over its seeds.
#[derive(Clone, PartialEq, Debug)]
pub struct PointFigures {
    /// The index of the point.
    pub point: usize,
    /// The settings in short.
    pub label: String,
    /// Whether this is what the files say.
    pub own: bool,
    /// Its runs.
    pub runs: u32,
    /// In how many of them a claim under `assert` did not hold.
    pub failed: u32,
    /// In how many the rollout was not over at the end.
    pub unfinished: u32,
    /// The rollout's time.
    pub took: Spread<Took>,
    /// The most pods wanted at the end of a run.
    pub desired: i64,
    /// The fewest available pods in any run.
    pub floor: i64,
    /// The fewest available pods of each run.
    pub available: Spread<i64>,
    /// The most pods beyond the wanted ones in any run.
    pub most_extra: i64,
    /// The most pods beyond the wanted ones of each run.
    pub extra: Spread<i64>,
    /// The longest outage in any run, in milliseconds.
    pub outage_ms: u64,
    /// Whether no other point is as fast and keeps more pods available, or
    /// keeps as many and is faster.
    pub on_availability_front: bool,
    /// The same with fewer extra pods instead of more available ones.
    pub on_capacity_front: bool,
}

/// How many pods shall be available at least.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Floor {
    /// So many.
    Pods(i64),
    /// So many hundredths of those that are wanted, rounded up.
    Percent(i64),
}

impl Floor {
    /// Reads `9` or `90%`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Floor, String> {
        let number = |digits: &str| digits.parse::<i64>().ok().filter(|n| *n >= 0);
        let floor = match text.strip_suffix('%') {
            Some(digits) => number(digits).filter(|n| *n <= 100).map(Floor::Percent),
            None => number(text).map(Floor::Pods),
        };
        floor.ok_or_else(|| format!("`{text}` is no number of pods; write 9 or 90%"))
    }

    fn pods(self, desired: i64) -> i64 {
        match self {
            Floor::Pods(n) => n,
            Floor::Percent(p) => (p * desired + 99) / 100,
        }
    }
}

/// What to choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advice {
    /// The point, if any keeps the floor.
    pub point: Option<usize>,
    /// The floor that was asked for, in pods.
    pub floor: i64,
    /// A sentence or two.
    pub text: String,
}

/// A campaign in figures.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// The scenario's title.
    pub title: String,
    /// The workload that was measured.
    pub workload: String,
    /// The points in canonical order, without those that were refused.
    pub points: Vec<PointFigures>,
    /// The settings that were refused.
    pub refused: Vec<String>,
}

impl Summary {
    /// Sums up a whole campaign, or what there is of one.
    pub fn of(part: &Part) -> Summary {
        let mut by_point: Vec<Vec<&Row>> = vec![Vec::new(); part.plan.points.len()];
        let mut refused = Vec::new();
        for row in &part.rows {
            let cell = part.cell(row);
            match row.refused {
                false => by_point[cell.point].push(row),
                true if cell.replicate == 0 => refused.push(part.plan.label(cell.point)),
                true => {}
            }
        }
        let mut points: Vec<PointFigures> =
            by_point.iter().enumerate().filter_map(|(point, rows)| figures(part, point, rows)).collect();
        mark_fronts(&mut points);
        Summary { title: part.plan.title.clone(), workload: part.plan.workload.clone(), points, refused }
    }

    /// What the files say now.
    pub fn own(&self) -> Option<&PointFigures> {
        self.points.iter().find(|p| p.own)
    }

    /// For each floor that can be kept the point to choose, the highest floor
    /// first.
    pub fn ladder(&self) -> Vec<&PointFigures> {
        let mut floors: Vec<i64> = self.points.iter().map(|p| p.floor).collect();
        floors.sort_unstable();
        floors.dedup();
        let mut steps: Vec<&PointFigures> = Vec::new();
        for floor in floors.into_iter().rev() {
            // A lower floor must buy time.
            if let Some(best) = self.best(floor)
                && steps.last().is_none_or(|last| best.took.median < last.took.median)
            {
                steps.push(best);
            }
        }
        steps
    }

    /// The points that keep a floor and that no other such point beats in time
    /// and extra pods, the fastest first: what a bound on capacity costs.
    pub fn options(&self, floor: i64) -> Vec<&PointFigures> {
        let mut all: Vec<&PointFigures> =
            self.points.iter().filter(|p| p.floor >= floor && p.unfinished == 0).collect();
        // Of what costs the same the safer one.
        all.sort_by_key(|p| (p.took.median, p.most_extra, -p.floor, p.took.high, !p.own, p.point));
        let mut least = i64::MAX;
        all.retain(|p| {
            let cheaper = p.most_extra < least;
            least = least.min(p.most_extra);
            cheaper
        });
        all
    }

    /// The fastest point that never had fewer available pods; of equally fast
    /// ones the one with the fewest extra pods.
    fn best(&self, floor: i64) -> Option<&PointFigures> {
        self.options(floor).into_iter().next()
    }

    /// What to choose so that the floor is kept in all runs; without a floor
    /// the highest that any point keeps.
    pub fn advice(&self, floor: Option<Floor>) -> Advice {
        let desired = self.points.iter().map(|p| p.desired).max().unwrap_or(0);
        let highest = self.points.iter().filter(|p| p.unfinished == 0).map(|p| p.floor).max();
        let wanted = floor.map(|f| f.pods(desired)).or(highest).unwrap_or(0);
        let Some(best) = self.best(wanted) else {
            let text = match highest {
                None => "No setting finishes the rollout in every run.".to_string(),
                Some(highest) => {
                    format!("No setting keeps {wanted} of {desired} available in every run; the best keep {highest}.")
                }
            };
            return Advice { point: None, floor: wanted, text };
        };
        let runs = if best.runs == 1 { "the run".to_string() } else { format!("all {} runs", best.runs) };
        let mut text = format!(
            "To keep at least {wanted} of {desired} available in {runs}, choose {}: {}.",
            best.label,
            price(best)
        );
        match self.own() {
            Some(own) if own.point == best.point => text.push_str(" That is what the manifest says now."),
            Some(own) => {
                let what = if own.unfinished > 0 {
                    format!("does not finish in {} of {} runs", own.unfinished, own.runs)
                } else {
                    format!("keeps {}: {}", own.floor, price(own))
                };
                text.push_str(&format!(" The manifest as it is {what}."));
            }
            None => {}
        }
        Advice { point: Some(best.point), floor: wanted, text }
    }
}

/// What a point costs in time and pods.
fn price(point: &PointFigures) -> String {
    let Spread { low, median, high } = point.took;
    let time = if low == high {
        format!("the rollout takes {median}")
    } else {
        format!("the rollout takes {median} ({low} to {high} in 8 of 10 runs)")
    };
    let pods = if point.most_extra == 1 { "pod" } else { "pods" };
    format!("{time} and up to {} extra {pods}", point.most_extra)
}

fn figures(part: &Part, point: usize, rows: &[&Row]) -> Option<PointFigures> {
    let took = |r: &&Row| r.rollout_ms.map_or(Took::Never, Took::Ms);
    Some(PointFigures {
        point,
        label: part.plan.label(point),
        own: part.plan.points[point].own,
        runs: rows.len() as u32,
        failed: rows.iter().filter(|r| r.failed > 0).count() as u32,
        unfinished: rows.iter().filter(|r| r.rollout_ms.is_none()).count() as u32,
        took: Spread::of(rows.iter().map(took))?,
        desired: rows.iter().map(|r| r.desired).max()?,
        floor: rows.iter().map(|r| r.min_available).min()?,
        available: Spread::of(rows.iter().map(|r| r.min_available))?,
        most_extra: rows.iter().map(|r| r.max_extra).max()?,
        extra: Spread::of(rows.iter().map(|r| r.max_extra))?,
        outage_ms: rows.iter().map(|r| r.outage_ms).max()?,
        on_availability_front: false,
        on_capacity_front: false,
    })
}

/// Marks the points that no other point beats in both figures. Those that do
/// not finish in every run do not count.
fn mark_fronts(points: &mut [PointFigures]) {
    let key = |p: &PointFigures| (p.took.median, -p.floor, p.most_extra);
    let finishes = |p: &PointFigures| p.unfinished == 0;
    let keys: Vec<_> = points.iter().filter(|p| finishes(p)).map(key).collect();
    let beaten = |a: (Took, i64), b: (Took, i64)| b.0 <= a.0 && b.1 <= a.1 && b != a;
    for point in points.iter_mut().filter(|p| finishes(p)) {
        let (took, short, extra) = key(point);
        point.on_availability_front = !keys.iter().any(|k| beaten((took, short), (k.0, k.1)));
        point.on_capacity_front = !keys.iter().any(|k| beaten((took, extra), (k.0, k.2)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{Plan, Point, Seeds};

    /// Points with two runs each: times in seconds, fewest available, extra.
    fn summary(points: &[([Option<u64>; 2], [i64; 2], i64)]) -> Summary {
        let plan = Plan {
            engine: "1".into(),
            title: "web".into(),
            scenario: "s".into(),
            master_seed: 1,
            seeds: Seeds::Common(2),
            workload: "deployment/web".into(),
            fields: vec!["deployment/web.maxSurge".into()],
            points: (0..points.len()).map(|i| Point { values: vec![Some(i.to_string())], own: i == 0 }).collect(),
        };
        let mut rows = Vec::new();
        for (took, available, extra) in points {
            for i in 0..2 {
                rows.push(Row {
                    cell: rows.len() as u64,
                    rollout_ms: took[i].map(|s| s * 1_000),
                    desired: 10,
                    min_available: available[i],
                    max_extra: *extra,
                    ..Row::default()
                });
            }
        }
        Summary::of(&Part::new(plan, rows))
    }

    #[test]
    fn the_fastest_that_keeps_the_floor_is_chosen() {
        let all = summary(&[
            ([Some(30), Some(34)], [8, 9], 3),
            ([Some(50), Some(60)], [10, 10], 1),
            ([Some(50), Some(52)], [10, 10], 4),
            ([Some(20), None], [10, 10], 0),
            ([Some(40), Some(40)], [8, 8], 0),
        ]);
        let fronts: Vec<(bool, bool)> =
            all.points.iter().map(|p| (p.on_availability_front, p.on_capacity_front)).collect();
        // The fourth is fast, but not all of its runs end.
        assert_eq!(fronts, [(true, true), (true, false), (true, false), (false, false), (false, true)]);
        let advice = |floor| all.advice(floor).text;
        assert_eq!(
            advice(None),
            "To keep at least 10 of 10 available in all 2 runs, choose maxSurge=1: the rollout takes 50s (50s to 1m \
             in 8 of 10 runs) and up to 1 extra pod. The manifest as it is keeps 8: the rollout takes 30s (30s to 34s \
             in 8 of 10 runs) and up to 3 extra pods."
        );
        assert!(
            advice(Some(Floor::Percent(75)))
                .starts_with("To keep at least 8 of 10 available in all 2 runs, choose maxSurge=0")
        );
        assert!(advice(Some(Floor::Pods(8))).ends_with("That is what the manifest says now."));
        assert_eq!(
            advice(Some(Floor::Pods(11))),
            "No setting keeps 11 of 10 available in every run; the best keep 10."
        );
        assert_eq!(all.options(10).iter().map(|p| p.point).collect::<Vec<_>>(), [1]);
        assert_eq!(all.options(8).iter().map(|p| p.point).collect::<Vec<_>>(), [0, 4]);
        assert_eq!(all.ladder().iter().map(|p| p.point).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn fronts_are_what_nothing_beats() {
        let all = summary(&[
            ([Some(30), Some(30)], [8, 8], 3),
            ([Some(50), Some(50)], [10, 10], 1),
            ([Some(50), Some(50)], [9, 9], 0),
            ([Some(30), Some(30)], [8, 8], 3),
            ([Some(31), Some(31)], [8, 8], 3),
        ]);
        let front = |f: fn(&PointFigures) -> bool| -> Vec<usize> {
            all.points.iter().filter(|p| f(p)).map(|p| p.point).collect()
        };
        assert_eq!(front(|p| p.on_availability_front), [0, 1, 3]);
        assert_eq!(front(|p| p.on_capacity_front), [0, 2, 3]);
    }

    #[test]
    fn floors_are_read() {
        assert_eq!(Floor::parse("9"), Ok(Floor::Pods(9)));
        assert_eq!(Floor::parse("75%"), Ok(Floor::Percent(75)));
        assert_eq!(Floor::Percent(75).pods(10), 8);
        assert!(["", "-1", "101%", "x"].into_iter().all(|t| Floor::parse(t).is_err()));
    }
}
