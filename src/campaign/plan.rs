//! What a campaign runs: which cells there are, and the seed of each.

use super::column::Column;
use crate::digest;
use crate::error::Problem;
use crate::rng::Draws;
use crate::scenario::Loaded;
use crate::scenario::set::{self, Choice, Setting};
use serde::{Deserialize, Serialize};

/// The most cells of a campaign.
const MAX_CELLS: u64 = 1_000_000_000;

/// Which seeds the runs of a point have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Seeds {
    /// So many, drawn from the master seed. All points see the same luck, so
    /// that they differ by their settings alone.
    Common(u32),
    /// So many, drawn for each point anew.
    Independent(u32),
    /// From the first so many, as they are: for people who have favourites.
    Listed(u64, u32),
}

impl Seeds {
    /// Runs of each point.
    pub const fn count(self) -> u32 {
        match self {
            Seeds::Common(n) | Seeds::Independent(n) | Seeds::Listed(_, n) => n,
        }
    }
}

/// One choice of a value for every setting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Point {
    /// The value of each setting as it was typed, in the settings' order;
    /// `None` leaves the field as it was written.
    pub values: Vec<Option<String>>,
    /// Whether this is what the files say without any setting.
    pub own: bool,
}

/// Everything that decides what the rows of a campaign are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The version of seatrial: another one may decide otherwise.
    pub engine: String,
    /// The scenario's title.
    pub title: String,
    /// A fingerprint of the scenario with its manifests.
    pub scenario: String,
    /// The seed from which all others are drawn.
    pub master_seed: u64,
    /// The seeds of each point.
    pub seeds: Seeds,
    /// The workload that is measured, such as `deployment/web`.
    pub workload: String,
    /// What is measured of every run.
    pub columns: Vec<Column>,
    /// The fields that are set.
    pub fields: Vec<String>,
    /// The points in canonical order: the last setting changes fastest. What
    /// the files say without settings comes last if the grid has it not.
    pub points: Vec<Point>,
}

/// What is planned, before its settings are put together.
#[derive(Clone, PartialEq, Debug)]
pub struct Outline {
    /// The scenario's title.
    pub title: String,
    /// The seeds of each point.
    pub seeds: Seeds,
    /// The seed from which all others are drawn.
    pub master_seed: u64,
    /// The workload that is measured.
    pub workload: String,
    /// What is measured of every run.
    pub columns: Vec<Column>,
}

/// One run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cell {
    /// Its number: point × seeds + replicate.
    pub number: u64,
    /// Its point.
    pub point: usize,
    /// Which of the point's seeds.
    pub replicate: u32,
}

/// A part of a campaign: the cells whose number leaves `index` when divided
/// by `count`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// At least 1.
    pub count: u32,
}

impl Shard {
    /// All cells.
    pub const WHOLE: Shard = Shard { index: 0, count: 1 };

    /// Reads `2/7`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Shard, String> {
        let wrong = || format!("`{text}` is not a shard; write 0/4 for the first of four");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let (index, count) = (index.parse().map_err(|_| wrong())?, count.parse().map_err(|_| wrong())?);
        if index >= count {
            return Err(format!("shard {index} of {count} does not exist: the last is {}", i64::from(count) - 1));
        }
        Ok(Shard { index, count })
    }

    /// Whether a cell belongs to it.
    pub const fn has(self, cell: u64) -> bool {
        cell % self.count as u64 == self.index as u64
    }
}

/// All choices of one value for each setting, the last setting fastest.
fn product(settings: &[Setting]) -> Vec<Vec<&Choice>> {
    settings.iter().fold(vec![Vec::new()], |points, setting| {
        let with = |point: &Vec<_>| {
            let point = point.clone();
            setting.values.iter().map(move |value| point.iter().copied().chain([value]).collect())
        };
        points.iter().flat_map(with).collect()
    })
}

/// The value of a setting that changes nothing, if it has one.
fn as_written<'s>(
    loaded: &Loaded,
    setting: &'s Setting,
    same: impl Fn(&Loaded) -> Result<bool, Vec<Problem>>,
) -> Result<Option<&'s Choice>, Vec<Problem>> {
    let mut wrong: Option<Vec<Problem>> = None;
    let mut failed = 0;
    for choice in &setting.values {
        match set::apply(loaded, &[(&setting.field, choice)]).and_then(|l| same(&l)) {
            Ok(true) => return Ok(Some(choice)),
            Ok(false) => {}
            Err(problems) => {
                failed += 1;
                wrong.get_or_insert(problems);
            }
        }
    }
    // One value may be right with other settings; none is a wrong field.
    match wrong {
        Some(problems) if failed == setting.values.len() => Err(problems),
        _ => Ok(None),
    }
}

/// A fingerprint of what a scenario is made from: the values in its files,
/// not their names or places.
fn fingerprint(loaded: &Loaded) -> String {
    let mut texts = vec![loaded.document.as_ref().map(|d| d.value.to_string()).unwrap_or_default()];
    texts.extend(loaded.manifests.iter().map(|d| d.value.to_string()));
    for (path, documents) in &loaded.applied {
        texts.push(path.clone());
        texts.extend(documents.iter().map(|d| d.value.to_string()));
    }
    digest::of_texts(&texts)
}

impl Plan {
    /// Plans a grid.
    ///
    /// `same` says whether a scenario with one setting is the one without it.
    /// The point of such values is what the files say and is marked; if the
    /// grid has none, it comes after all others.
    ///
    /// # Errors
    /// Settings of which no value can be applied, and grids that are too
    /// large.
    pub fn grid(
        loaded: &Loaded,
        settings: &[Setting],
        outline: Outline,
        same: impl Fn(&Loaded) -> Result<bool, Vec<Problem>>,
    ) -> Result<Plan, Vec<Problem>> {
        let Outline { title, seeds, master_seed, workload, columns } = outline;
        let sizes = settings.iter().map(|s| s.values.len() as u64);
        let cells = sizes.fold(u64::from(seeds.count()), u64::saturating_mul);
        if cells == 0 || cells > MAX_CELLS {
            let message = format!("{cells} runs cannot be planned: 1 to {MAX_CELLS} can");
            return Err(vec![Problem::new(message)]);
        }
        let written: Vec<Option<&Choice>> =
            settings.iter().map(|s| as_written(loaded, s, &same)).collect::<Result<_, _>>()?;
        let mut points = Vec::new();
        for choices in product(settings) {
            let own =
                choices.iter().zip(&written).all(|(choice, own)| own.is_some_and(|own| std::ptr::eq(own, *choice)));
            points.push(Point { values: choices.iter().map(|c| Some(c.text.clone())).collect(), own });
        }
        if !points.iter().any(|p| p.own) {
            points.push(Point { values: vec![None; settings.len()], own: true });
        }
        Ok(Plan {
            engine: env!("CARGO_PKG_VERSION").to_string(),
            title,
            scenario: fingerprint(loaded),
            master_seed,
            seeds,
            workload,
            columns,
            fields: settings.iter().map(|s| s.field.clone()).collect(),
            points,
        })
    }

    /// How many cells there are.
    pub fn cells(&self) -> u64 {
        self.points.len() as u64 * u64::from(self.seeds.count())
    }

    /// The cells of one point that belong to a shard.
    pub fn cells_of(&self, point: usize, shard: Shard) -> impl Iterator<Item = Cell> + '_ {
        let count = self.seeds.count();
        let cell = move |replicate| {
            let number = point as u64 * u64::from(count) + u64::from(replicate);
            Cell { number, point, replicate }
        };
        (0..count).map(cell).filter(move |cell| shard.has(cell.number))
    }

    /// How many cells a shard has.
    pub fn size(&self, shard: Shard) -> u64 {
        let (cells, index, count) = (self.cells(), u64::from(shard.index), u64::from(shard.count));
        (cells + count - 1 - index) / count
    }

    /// The seed of a cell. It has 53 bits, so that every reader of JSON gets
    /// it right.
    pub fn seed(&self, cell: Cell) -> u64 {
        let replicate = u64::from(cell.replicate);
        let subject = match self.seeds {
            Seeds::Listed(first, _) => return first.saturating_add(replicate),
            Seeds::Common(_) => self.scenario.clone(),
            Seeds::Independent(_) => format!("{} {:?}", self.scenario, self.points[cell.point].values),
        };
        Draws::new(self.master_seed).bits("campaign", &subject, replicate) >> 11
    }

    /// A fingerprint: rows of plans with the same one belong together.
    pub fn fingerprint(&self) -> String {
        digest::of_texts(&[serde_json::to_string(self).unwrap_or_default()])
    }

    /// A field in short, `maxSurge`, as far as that says which one it is.
    pub fn short(&self, field: usize) -> &str {
        let last = |field: &'_ str| field.rsplit_once('.').map_or(0, |(before, _)| before.len() + 1);
        let whole = &self.fields[field];
        let name = &whole[last(whole)..];
        let unique = self.fields.iter().filter(|f| &f[last(f)..] == name).count() == 1;
        if unique { name } else { whole }
    }

    /// The settings of a point in short: `maxSurge=1 maxUnavailable=0`.
    pub fn label(&self, point: usize) -> String {
        let values = self.points[point].values.iter().enumerate();
        let parts: Vec<String> =
            values.filter_map(|(i, value)| value.as_ref().map(|v| format!("{}={v}", self.short(i)))).collect();
        if parts.is_empty() { "as written".to_string() } else { parts.join(" ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    const WEB: &str = include_str!("../../tests/manifests/web.yaml");

    fn plan(settings: &[&str], seeds: Seeds) -> Plan {
        let input = load::load(&[load::STDIN.to_string()], false, &mut WEB.as_bytes()).unwrap();
        let settings: Vec<Setting> = settings.iter().map(|s| Setting::parse(s).unwrap()).collect();
        let loaded = &input.scenarios[0];
        let surge = "deployment/web.maxSurge";
        let default =
            |l: &Loaded, field: &str, value: &str| set::written(l, field).is_none_or(|v| v == value || v == 0);
        let same = |l: &Loaded| {
            Ok(set::written(l, surge).is_none_or(|v| v == "25%") && default(l, "deployment/web.minReadySeconds", ""))
        };
        let workload = "deployment/web".to_string();
        let columns = Column::of_kind(crate::api::Kind::Deployment);
        let outline = Outline { title: "web".into(), seeds, master_seed: 7, workload, columns };
        Plan::grid(loaded, &settings, outline, same).unwrap()
    }

    #[test]
    fn cells_are_numbered_by_the_plan_alone() {
        let settings = ["deployment/web.maxSurge=0,25%,3", "deployment/web.minReadySeconds=0,2"];
        let plan = plan(&settings, Seeds::Common(5));
        let values: Vec<String> = (0..plan.points.len()).map(|p| plan.label(p)).collect();
        assert_eq!(
            values[..3],
            ["maxSurge=0 minReadySeconds=0", "maxSurge=0 minReadySeconds=2", "maxSurge=25% minReadySeconds=0"]
        );
        assert_eq!(plan.points.iter().map(|p| p.own).collect::<Vec<_>>(), [false, false, true, false, false, false]);
        assert_eq!(plan.cells(), 30);
        for count in [1, 4, 7, 31] {
            let shards: Vec<Shard> = (0..count).map(|index| Shard { index, count }).collect();
            let mut all: Vec<u64> = Vec::new();
            for &shard in &shards {
                let mine: Vec<u64> =
                    (0..plan.points.len()).flat_map(|p| plan.cells_of(p, shard)).map(|c| c.number).collect();
                assert_eq!(mine.len() as u64, plan.size(shard), "{shard:?}");
                all.extend(mine);
            }
            all.sort_unstable();
            assert_eq!(all, (0..30).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_written_is_a_point_too() {
        let plan = plan(&["deployment/web.maxSurge=0,1"], Seeds::Common(1));
        assert_eq!((plan.points.len(), plan.label(2).as_str(), plan.points[2].own), (3, "as written", true));
    }

    #[test]
    fn points_share_their_luck_unless_told_otherwise() {
        let seeds = |seeds| {
            let plan = plan(&["deployment/web.maxSurge=0,25%"], seeds);
            let cells: Vec<Cell> = (0..2).flat_map(|p| plan.cells_of(p, Shard::WHOLE).collect::<Vec<_>>()).collect();
            cells.into_iter().map(|c| plan.seed(c)).collect::<Vec<_>>()
        };
        let common = seeds(Seeds::Common(2));
        assert_eq!(common[..2], common[2..]);
        assert_ne!(common[0], common[1]);
        let independent = seeds(Seeds::Independent(2));
        assert_ne!(independent[..2], independent[2..]);
        assert_eq!(seeds(Seeds::Listed(40, 2)), [40, 41, 40, 41]);
        assert!(common.iter().chain(&independent).all(|s| *s < 1 << 53));
    }

    #[test]
    fn shards_are_read() {
        assert_eq!(Shard::parse("2/7"), Ok(Shard { index: 2, count: 7 }));
        for text in ["7/7", "1", "a/b", "0/0", "-1/4"] {
            assert!(Shard::parse(text).is_err(), "{text}");
        }
    }
}
