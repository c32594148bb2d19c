//! What a campaign says: figures of each point over its seeds, and which
//! points are worth considering.

use super::column::{Axes, Axis, Column, Cost, Value};
use super::part::Part;
use super::row::Row;

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

/// The values of a column over a point's seeds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// How they are spread.
    pub spread: Spread<Value>,
    /// The least of all.
    pub least: Value,
    /// The greatest of all.
    pub most: Value,
    /// In how many runs there is none.
    pub never: u32,
}

impl Seen {
    /// Of the values of all runs; `None` without any.
    fn of(values: impl Iterator<Item = Value>) -> Option<Seen> {
        let mut all: Vec<Value> = values.collect();
        all.sort_unstable();
        // The nearest rank, so that every figure is one that happened.
        let rank = |percent: usize| all.get((all.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Seen {
            spread: Spread { low: rank(10)?, median: rank(50)?, high: rank(90)? },
            least: *all.first()?,
            most: *all.last()?,
            never: all.iter().filter(|v| **v == Value::Never).count() as u32,
        })
    }

    /// The worst of all runs, as an axis sees it.
    pub fn worst(&self, axis: Axis) -> Value {
        if axis.more && self.never == 0 { self.least } else { self.most }
    }

    /// What all but the worst tenth of runs reach, as an axis sees it.
    pub fn usual(&self, axis: Axis) -> Value {
        if axis.more { self.spread.high } else { self.spread.low }
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
    /// What was measured, in the order of the columns.
    pub columns: Vec<Seen>,
    /// Whether there is a value on all axes in all runs: rollouts that are not
    /// over cannot be weighed.
    pub complete: bool,
    /// For each upright axis whether no other point is better in both figures.
    pub front: Vec<bool>,
}

/// A campaign in figures.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// The scenario's title.
    pub title: String,
    /// The workload that was measured.
    pub workload: String,
    /// What was measured.
    pub columns: Vec<Column>,
    /// What is weighed.
    pub axes: Axes,
    /// The points in canonical order, without those that were refused.
    pub points: Vec<PointFigures>,
    /// The settings that were refused.
    pub refused: Vec<String>,
}

impl Summary {
    /// Sums up a whole campaign, or what there is of one.
    pub fn of(part: &Part, axes: Axes) -> Summary {
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
        let figures = |(point, rows): (usize, &Vec<&Row>)| figures(part, &axes, point, rows);
        let mut points: Vec<PointFigures> = by_point.iter().enumerate().filter_map(figures).collect();
        mark_fronts(&mut points, &axes);
        Summary {
            title: part.plan.title.clone(),
            workload: part.plan.workload.clone(),
            columns: part.plan.columns.clone(),
            axes,
            points,
            refused,
        }
    }

    /// What the files say now.
    pub fn own(&self) -> Option<&PointFigures> {
        self.points.iter().find(|p| p.own)
    }

    /// For each floor that can be kept the point to choose, the best floor
    /// first.
    pub fn ladder(&self) -> Vec<&PointFigures> {
        let kept = self.kept();
        let mut floors: Vec<Value> = self.points.iter().map(|p| p.columns[kept.column].worst(kept)).collect();
        floors.sort_unstable_by_key(|v| kept.cost(*v));
        floors.dedup();
        let across = |p: &PointFigures| self.axes.across.cost(p.columns[self.axes.across.column].spread.median);
        let mut steps: Vec<&PointFigures> = Vec::new();
        for floor in floors {
            // A lower floor must buy time.
            if let Some(&best) = self.options(floor).first()
                && steps.last().is_none_or(|last| across(best) < across(last))
            {
                steps.push(best);
            }
        }
        steps
    }

    /// The points that keep a floor and that no other such point beats across
    /// and in what it costs, the fastest first: what a bound on capacity
    /// costs.
    pub fn options(&self, floor: Value) -> Vec<&PointFigures> {
        let (kept, across, price) = (self.kept(), self.axes.across, self.axes.upright.get(1));
        let worst = |p: &PointFigures, axis: Axis| axis.cost(p.columns[axis.column].worst(axis));
        let costs = |p: &PointFigures| price.map(|axis| worst(p, *axis));
        let keeps = |p: &&PointFigures| p.complete && worst(p, kept) <= kept.cost(floor);
        let mut all: Vec<&PointFigures> = self.points.iter().filter(keeps).collect();
        // Of what costs the same the safer one.
        all.sort_by_key(|p| {
            let spread = p.columns[across.column].spread;
            (across.cost(spread.median), costs(p), worst(p, kept), across.cost(spread.high), !p.own, p.point)
        });
        let mut least: Option<Cost> = None;
        let mut any = false;
        all.retain(|p| {
            let cheaper = !any || costs(p) < least;
            (any, least) = (true, if cheaper { costs(p) } else { least });
            cheaper
        });
        all
    }
}

fn figures(part: &Part, axes: &Axes, point: usize, rows: &[&Row]) -> Option<PointFigures> {
    let value = |row: &Row, i: usize| row.value(i).map_or(Value::Never, Value::Is);
    let seen = |i: usize| Seen::of(rows.iter().map(|row| value(row, i)));
    let columns: Vec<Seen> = (0..part.plan.columns.len()).map(seen).collect::<Option<_>>()?;
    let complete = std::iter::once(&axes.across).chain(&axes.upright).all(|axis| columns[axis.column].never == 0);
    Some(PointFigures {
        point,
        label: part.plan.label(point),
        own: part.plan.points[point].own,
        runs: rows.len() as u32,
        failed: rows.iter().filter(|r| r.failed > 0).count() as u32,
        columns,
        complete,
        front: vec![false; axes.upright.len()],
    })
}

/// Marks the points that no other point beats in both figures. Those that do
/// not come to an end in every run do not count.
fn mark_fronts(points: &mut [PointFigures], axes: &Axes) {
    let across = |p: &PointFigures| axes.across.cost(p.columns[axes.across.column].spread.median);
    let beaten = |a: (Cost, Cost), b: (Cost, Cost)| b.0 <= a.0 && b.1 <= a.1 && b != a;
    for (i, axis) in axes.upright.iter().enumerate() {
        let key = |p: &PointFigures| (across(p), axis.cost(p.columns[axis.column].worst(*axis)));
        let keys: Vec<_> = points.iter().filter(|p| p.complete).map(key).collect();
        for point in points.iter_mut().filter(|p| p.complete) {
            let mine = key(point);
            point.front[i] = !keys.iter().any(|k| beaten(mine, *k));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{Amount, Floor, Point, part::tests::plan_of};

    /// A point with two runs: times in seconds, fewest available, extra.
    type Runs = ([Option<u64>; 2], [i64; 2], i64);

    fn summary(points: &[Runs]) -> Summary {
        let point = |i: usize| Point { values: vec![Some(i.to_string())], own: i == 0 };
        let plan = plan_of((0..points.len()).map(point).collect(), 2);
        let mut rows = Vec::new();
        for (took, available, extra) in points {
            for i in 0..2 {
                let whole = |n: i64| Some(Amount::from(n));
                let ms = took[i].map(|s| Amount::from(s as i64 * 1_000));
                let values = vec![ms, whole(10), whole(available[i]), whole(0), whole(0), whole(*extra)];
                rows.push(Row { cell: rows.len() as u64, values, ..Row::default() });
            }
        }
        let axes = Axes::of(&plan.columns, &[]).unwrap();
        Summary::of(&Part::new(plan, String::new(), rows), axes)
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
        let fronts: Vec<(bool, bool)> = all.points.iter().map(|p| (p.front[0], p.front[1])).collect();
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
        assert!(advice(Some(Floor::Number(8.0))).ends_with("That is what the manifest says now."));
        assert_eq!(
            advice(Some(Floor::Number(11.0))),
            "No setting keeps 11 of 10 available in every run; the best keep 10."
        );
        let options =
            |n: i64| -> Vec<usize> { all.options(Value::Is(Amount::from(n))).iter().map(|p| p.point).collect() };
        assert_eq!(options(10), [1]);
        assert_eq!(options(8), [0, 4]);
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
        let front = |i: usize| -> Vec<usize> { all.points.iter().filter(|p| p.front[i]).map(|p| p.point).collect() };
        assert_eq!(front(0), [0, 1, 3]);
        assert_eq!(front(1), [0, 2, 3]);
    }

    #[test]
    fn the_worst_is_what_an_axis_likes_least() {
        let amount = |n: i64| Value::Is(Amount::from(n));
        let seen = Seen::of([3, 1, 2].into_iter().map(amount)).unwrap();
        let axis = |more| Axis { column: 0, more };
        assert_eq!((seen.worst(axis(false)), seen.worst(axis(true))), (amount(3), amount(1)));
        let seen = Seen::of([amount(1), Value::Never].into_iter()).unwrap();
        assert_eq!((seen.worst(axis(false)), seen.worst(axis(true)), seen.never), (Value::Never, Value::Never, 1));
        assert!(axis(true).cost(Value::Never) > axis(true).cost(amount(-5)));
    }
}
