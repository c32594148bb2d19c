//! `seatrial sweep` and `seatrial merge`

use super::folder::{self, Folder};
use super::{engines, pool, results};
use crate::cli::Outcome;
use crate::cli::arguments::{Merge, SeedRange, Sweep};
use crate::cli::output::{self, Failure};
use crate::cli::{problems, table};
use indicatif::{ProgressBar, ProgressStyle};
use seatrial::api::Kind;
use seatrial::assertion::Figure;
use seatrial::campaign::{self, Asked, Axes, Cell, Column, Measured, Outline, Part, Plan, Row, Seeds, Shard, Subject};
use seatrial::error::Problem;
use seatrial::scenario::set::{self, Choice, Setting};
use seatrial::scenario::{Loaded, Overrides, Rehearsal, compile, load};
use seatrial::sim;
use seatrial::sim::Setup;
use seatrial::trace::Trace;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How many refused settings are told one by one.
const SHOWN: usize = 5;

/// A sweep that is ready to run.
struct Campaign {
    loaded: Loaded,
    settings: Vec<Setting>,
    subject: Subject,
    /// The figures that are measured beside the workload's own.
    asked: Vec<Asked>,
    plan: Plan,
}

/// Tries all settings with all seeds.
pub(in crate::cli) fn sweep(arguments: &Sweep) -> Result<Outcome, Failure> {
    let campaign = prepare(arguments)?;
    let axes = Axes::of(&campaign.plan.columns, &arguments.results.axis)?;
    if let Some(engine) = arguments.render {
        return output::print(&engines::render(engine, arguments), Outcome::Passed);
    }
    let shard = shard(arguments)?;
    results::check(&arguments.results)?;
    let part = run(&campaign, arguments, shard)?;
    if shard != Shard::WHOLE {
        let cells = part.rows.len();
        anstream::eprintln!("shard {} of {}: {cells} runs", shard.index, shard.count);
        return Ok(results::outcome(&part));
    }
    results::show(
        &part,
        axes,
        &arguments.results,
        arguments.out.as_deref(),
        Some(&|point, seed| campaign.again(point, seed)),
    )
}

/// Puts the parts of a sweep together.
pub(in crate::cli) fn merge(arguments: &Merge) -> Result<Outcome, Failure> {
    results::check(&arguments.results)?;
    let paths = folder::parts(&arguments.paths)?;
    let parts = paths.iter().map(|p| folder::read(p)).collect::<Result<Vec<_>, _>>()?;
    let whole = campaign::merge(parts)?;
    let axes = Axes::of(&whole.plan.columns, &arguments.results.axis)?;
    let own = arguments.paths.first().filter(|p| p.is_dir()).cloned();
    let beside = || Some(paths.first()?.parent()?.to_path_buf());
    let out: Option<PathBuf> = arguments.out.clone().or(own).or_else(beside);
    // Parts know the figures of their runs, not what they were made from.
    results::show(&whole, axes, &arguments.results, out.as_deref(), None)
}

/// Which part is to be run.
fn shard(arguments: &Sweep) -> Result<Shard, Failure> {
    let Some(count) = arguments.shards else { return Ok(arguments.shard.unwrap_or(Shard::WHOLE)) };
    let names = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"];
    let index = names.iter().find_map(|name| std::env::var(name).ok());
    let index = index.ok_or_else(|| {
        Problem::new(format!("--shards takes its index from {}, and neither is set", names.join(" or ")))
            .with_hint("name the shard itself: --shard 0/4")
    })?;
    Ok(Shard::parse(&format!("{index}/{count}")).map_err(Problem::new)?)
}

/// Loads the scenario and plans its cells.
fn prepare(arguments: &Sweep) -> Result<Campaign, Failure> {
    let paths: Vec<String> = arguments.paths.iter().chain(&arguments.files).cloned().collect();
    let input = load::load(&paths, false, &mut std::io::stdin().lock()).map_err(Failure::Input)?;
    problems::print_warnings(&input.warnings);
    let count = input.scenarios.len();
    let mut scenarios = input.scenarios.into_iter();
    let (Some(loaded), None) = (scenarios.next(), scenarios.next()) else {
        let message = format!("a sweep is over one scenario, these are {count}");
        return Err(Problem::new(message).with_hint("name the scenario's own file").into());
    };
    let settings: Vec<Setting> = arguments.set.iter().map(|s| Setting::parse(s)).collect::<Result<_, _>>()?;
    let rehearsal = compile::compile(&loaded, Overrides::default()).map_err(Failure::Input)?;
    problems::print_notes(&rehearsal.notes);
    let subject = subject(arguments, &loaded, &settings, &rehearsal)?;
    let seeds = match (arguments.seeds, arguments.independent) {
        (SeedRange::From(first, count), _) => Seeds::Listed(first, count),
        (SeedRange::Count(count), true) => Seeds::Independent(count),
        (SeedRange::Count(count), false) => Seeds::Common(count),
    };
    let plain = &rehearsal.setup;
    let same = |l: &Loaded| compile::compile(l, Overrides::default()).map(|r| r.setup == *plain);
    let master = arguments.seed.unwrap_or(plain.seed);
    let asked: Vec<Asked> = arguments.figure.iter().map(|text| Asked::parse(text)).collect();
    let columns = columns(subject.kind, &asked, &rehearsal)?;
    let outline = Outline { title: plain.title.clone(), seeds, master_seed: master, workload: subject.path(), columns };
    let plan = Plan::grid(&loaded, &settings, outline, same).map_err(Failure::Input)?;
    Ok(Campaign { loaded, settings, subject, asked, plan })
}

/// What is measured: the figures of the workload's kind and those asked for.
fn columns(kind: Kind, asked: &[Asked], rehearsal: &Rehearsal) -> Result<Vec<Column>, Failure> {
    let mut columns = Column::of_kind(kind);
    for asked in asked {
        let (figure, unit) = rehearsal.figure(&asked.expression)?;
        let taken = ["cell", "point", "replicate", "seed", "set", "failed", "refused"];
        if columns.iter().any(|c| c.name == asked.name) || taken.contains(&asked.name.as_str()) {
            let problem = Problem::new(format!("there is a column `{}` already", asked.name));
            return Err(problem.with_hint("give the figure another name: --figure 'other=…'").into());
        }
        columns.push(Column::of_figure(asked, &figure, unit));
    }
    Ok(columns)
}

/// The workload that is measured: the named one, the one that is set, or the
/// first that can be rolled out.
fn subject(
    arguments: &Sweep,
    loaded: &Loaded,
    settings: &[Setting],
    rehearsal: &Rehearsal,
) -> Result<Subject, Failure> {
    let objects = rehearsal.setup.objects.iter().map(|o| {
        let meta = o.meta();
        Subject { kind: o.kind(), namespace: meta.namespace.to_string(), name: meta.name.to_string() }
    });
    let objects: Vec<Subject> = objects.collect();
    if let Some(wanted) = &arguments.workload {
        let named = set::object_of(loaded, &format!("{wanted}.spec"));
        return match named {
            Some((kind, namespace, name)) => Ok(Subject { kind, namespace, name }),
            None => {
                let all: Vec<String> = objects.iter().map(Subject::path).collect();
                let problem = Problem::new(format!("there is no {wanted} in this scenario"));
                Err(problem.with_hint(format!("there is {}", all.join(", "))).into())
            }
        };
    }
    let rolls = |kind: Kind| matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet);
    let named = settings.iter().filter_map(|s| set::object_of(loaded, &s.field)).find(|n| n.0.is_workload());
    if let Some((kind, namespace, name)) = named {
        return Ok(Subject { kind, namespace, name });
    }
    let workload = |o: &&Subject| o.kind.is_workload();
    let first = objects.iter().find(|o| rolls(o.kind)).or_else(|| objects.iter().find(workload));
    first.cloned().ok_or_else(|| Problem::new("there is no workload to measure").into())
}

impl Campaign {
    /// Rows with everything that a part says beside them.
    fn part(&self, rows: Vec<Row>) -> Part {
        let paths: Vec<String> = self.loaded.arguments.iter().map(|a| table::quote(a)).collect();
        Part::new(self.plan.clone(), paths.join(" "), rows)
    }

    /// The input of a point's runs, or why it is refused.
    fn setup(&self, point: usize) -> Result<Rehearsal, Vec<Problem>> {
        let values = &self.plan.points[point].values;
        let find = |(setting, text): (&Setting, &Option<String>)| {
            let choice: Choice = setting.values.iter().find(|c| Some(&c.text) == text.as_ref())?.clone();
            Some((setting.field.clone(), choice))
        };
        let chosen: Vec<(String, Choice)> = self.settings.iter().zip(values).filter_map(find).collect();
        let chosen: Vec<(&str, &Choice)> = chosen.iter().map(|(field, choice)| (field.as_str(), choice)).collect();
        compile::compile(&set::apply(&self.loaded, &chosen)?, Overrides::default())
    }

    /// A run of a point.
    fn again(&self, point: usize, seed: u64) -> Option<Trace> {
        let mut setup = self.setup(point).ok()?.setup;
        setup.seed = seed;
        Some(sim::run(&setup))
    }

    /// The rows of cells of one point.
    fn rows(&self, point: usize, cells: &[Cell], stop: &AtomicBool) -> (Vec<Row>, Option<String>) {
        let prepared = self.setup(point).and_then(|rehearsal| {
            let figure = |asked: &Asked| rehearsal.figure(&asked.expression).map(|f| f.0);
            let figures: Result<Vec<Figure>, Problem> = self.asked.iter().map(figure).collect();
            figures.map(|figures| (rehearsal, figures)).map_err(|problem| vec![problem])
        });
        let (rehearsal, figures) = match prepared {
            Ok(prepared) => prepared,
            Err(problems) => {
                let refused = |&cell: &Cell| Row {
                    cell: cell.number,
                    seed: self.plan.seed(cell),
                    refused: true,
                    ..Row::default()
                };
                let why = problems.first().map(|p| Problem { hint: None, ..p.clone() }.to_string());
                return (cells.iter().map(refused).collect(), why);
            }
        };
        let measured = Measured { subject: &self.subject, figures: &figures, assertions: &rehearsal.assertions };
        let mut setup: Arc<Setup> = Arc::new(rehearsal.setup);
        let run = |&cell: &Cell| {
            Arc::make_mut(&mut setup).seed = self.plan.seed(cell);
            let trace = sim::run_shared(&setup);
            Row { cell: cell.number, ..campaign::measure(&trace, &measured) }
        };
        (cells.iter().take_while(|_| !stop.load(Ordering::Relaxed)).map(run).collect(), None)
    }
}

/// Cells of one point that one thread does in a go.
const BLOCK: usize = 64;

/// Runs the cells of a shard that are not done yet.
fn run(campaign: &Campaign, arguments: &Sweep, shard: Shard) -> Result<Part, Failure> {
    let plan = &campaign.plan;
    let mut folder = arguments.out.as_deref().map(|dir| Folder::open(dir, shard)).transpose()?;
    let mut rows = folder.as_mut().map_or_else(|| Ok(Vec::new()), |f| f.resume(plan))?;
    let known: BTreeSet<u64> = rows.iter().map(|r| r.cell).collect();
    let mut blocks: Vec<(usize, Vec<Cell>)> = Vec::new();
    for point in 0..plan.points.len() {
        let open: Vec<Cell> = plan.cells_of(point, shard).filter(|c| !known.contains(&c.number)).collect();
        blocks.extend(open.chunks(BLOCK).map(|cells| (point, cells.to_vec())));
    }
    let total = plan.size(shard);
    let bar = progress(total, known.len() as u64);
    let stop = stop_on_signals()?;
    let (mut fresh, mut saved, mut failure) = (Vec::new(), Instant::now(), None);
    let mut refused: Vec<(usize, String)> = Vec::new();
    let job = |i: usize| campaign.rows(blocks[i].0, &blocks[i].1, &stop);
    pool::work(pool::threads(arguments.threads), blocks.len(), &stop, job, |i, (done, why): (Vec<Row>, _)| {
        bar.inc(done.len() as u64);
        refused.extend(why.map(|why| (blocks[i].0, why)));
        if folder.is_some() {
            fresh.extend_from_slice(&done);
        }
        rows.extend(done);
        if let Some(folder) = &mut folder
            && saved.elapsed() >= Duration::from_nanos(arguments.checkpoint.0)
        {
            if let Err(error) = folder.save(&campaign.part(std::mem::take(&mut fresh))) {
                stop.store(true, Ordering::Relaxed);
                failure.get_or_insert(error);
            }
            saved = Instant::now();
        }
    });
    bar.finish_and_clear();
    if let Some(failure) = failure {
        return Err(failure);
    }
    if (rows.len() as u64) < total {
        return Err(interrupted(
            campaign,
            rows.len() as u64,
            total,
            folder.zip(Some(fresh)),
            arguments.out.as_deref(),
        )?);
    }
    warn_refused(campaign, refused, shard)?;
    let part = campaign.part(rows);
    if let Some(folder) = &mut folder {
        folder.finish(&part)?;
    }
    Ok(part)
}

/// Saves what is there and says how to go on.
fn interrupted(
    campaign: &Campaign,
    done: u64,
    total: u64,
    rest: Option<(Folder, Vec<Row>)>,
    out: Option<&Path>,
) -> Result<Failure, Failure> {
    let kept = match rest {
        Some((mut folder, fresh)) => {
            if !fresh.is_empty() {
                folder.save(&campaign.part(fresh))?;
            }
            let dir = out.map(|d| d.display().to_string()).unwrap_or_default();
            format!("they are kept in {dir}, and the same command goes on from there")
        }
        None => "nothing is kept; with --out DIR it would be".to_string(),
    };
    Ok(Failure::Other(format!("interrupted after {done} of {total} runs; {kept}")))
}

/// Says which settings are refused; an error if all are.
fn warn_refused(campaign: &Campaign, mut refused: Vec<(usize, String)>, shard: Shard) -> Result<(), Failure> {
    refused.sort();
    refused.dedup();
    let plan = &campaign.plan;
    if refused.len() == plan.points.len() && shard == Shard::WHOLE {
        return Err(campaign
            .setup(0)
            .map_or_else(Failure::Input, |_| Failure::Other("all settings are refused".into())));
    }
    for (point, why) in refused.iter().take(SHOWN) {
        anstream::eprintln!("note: refused: {}: {why}", plan.label(*point));
    }
    if refused.len() > SHOWN {
        anstream::eprintln!("note: and {} more settings are refused", refused.len() - SHOWN);
    }
    Ok(())
}

/// A bar with the time that is left, on a terminal only.
fn progress(total: u64, done: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} runs, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(total).with_style(style).with_position(done);
    bar.reset_eta();
    bar
}

/// A flag that Ctrl-C and SIGTERM set; a second one ends the process at once.
fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let failed = |e: std::io::Error| Failure::Other(format!("cannot listen to signals: {e}"));
        // Registered first, so that it looks at the flag before it is set.
        signal_hook::flag::register_conditional_shutdown(signal, 3, stop.clone()).map_err(failed)?;
        signal_hook::flag::register(signal, stop.clone()).map_err(failed)?;
    }
    Ok(stop)
}
