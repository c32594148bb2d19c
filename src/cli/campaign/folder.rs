//! The folder of a sweep: parts, what was saved on the way, and the results.
//!
//! Every file is written whole or not at all, so a process may be killed at
//! any time; run again, it goes on from what is there.

use crate::cli::output::{self, Failure};
use seatrial::campaign::{Part, Plan, Row, Shard};
use seatrial::error::Problem;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a shard keeps its rows.
pub(super) struct Folder {
    dir: PathBuf,
    shard: Shard,
    /// How many checkpoints there are.
    saved: usize,
}

impl Folder {
    /// The folder, made if it is not there yet.
    pub(super) fn open(dir: &Path, shard: Shard) -> Result<Folder, Failure> {
        fs::create_dir_all(dir).map_err(|e| Failure::Other(format!("cannot make {}: {e}", dir.display())))?;
        Ok(Folder { dir: dir.to_path_buf(), shard, saved: 0 })
    }

    /// The file of the finished part.
    pub(super) fn part(&self) -> PathBuf {
        self.dir.join(format!("part-{}-of-{}.jsonl", self.shard.index, self.shard.count))
    }

    fn checkpoint(&self, number: usize) -> PathBuf {
        self.dir.join(format!("part-{}-of-{}.saved-{number}.jsonl", self.shard.index, self.shard.count))
    }

    /// The rows of this shard that earlier runs have left.
    pub(super) fn resume(&mut self, plan: &Plan) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        if self.part().is_file() {
            rows = read_for(&self.part(), plan)?.rows;
        }
        while self.checkpoint(self.saved).is_file() {
            rows.extend(read_for(&self.checkpoint(self.saved), plan)?.rows);
            self.saved += 1;
        }
        Ok(rows)
    }

    /// Saves rows on the way.
    pub(super) fn save(&mut self, part: &Part) -> Result<(), Failure> {
        output::write_file(&self.checkpoint(self.saved), part.to_text().as_bytes())?;
        self.saved += 1;
        Ok(())
    }

    /// Writes the finished part; what was saved on the way is not needed any
    /// more.
    pub(super) fn finish(&mut self, part: &Part) -> Result<(), Failure> {
        output::write_file(&self.part(), part.to_text().as_bytes())?;
        // The last one first, so that those that are left still count from 0.
        for number in (0..self.saved).rev() {
            let path = self.checkpoint(number);
            fs::remove_file(&path).map_err(|e| Failure::Other(format!("cannot remove {}: {e}", path.display())))?;
        }
        self.saved = 0;
        Ok(())
    }
}

/// Reads a part.
pub(super) fn read(path: &Path) -> Result<Part, Failure> {
    let text =
        fs::read_to_string(path).map_err(|e| Problem::new(format!("cannot read this part: {e}")).in_file(path))?;
    Part::from_text(&text).map_err(|problem| problem.in_file(path).into())
}

/// Reads a part of this very plan.
fn read_for(path: &Path, plan: &Plan) -> Result<Part, Failure> {
    let part = read(path)?;
    if part.plan == *plan {
        return Ok(part);
    }
    let problem = Problem::new("this folder has the results of another sweep").in_file(path);
    Err(problem.with_hint("choose another folder for --out, or remove this one").into())
}

/// The finished parts among paths: files as they are, of folders all parts.
pub(super) fn parts(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let entries =
            fs::read_dir(path).map_err(|e| Problem::new(format!("cannot read this folder: {e}")).in_file(path))?;
        let lines = |name: &str| Path::new(name).extension().is_some_and(|end| end == "jsonl");
        let is_part = |name: &str| name.starts_with("part-") && lines(name) && !name.contains(".saved-");
        let mut found: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
        found.retain(|p| p.file_name().and_then(|n| n.to_str()).is_some_and(is_part));
        found.sort();
        if found.is_empty() {
            let problem = Problem::new("this folder has no finished parts").in_file(path);
            return Err(problem.with_hint("`seatrial sweep … --shard 0/4 --out FOLDER` writes one").into());
        }
        all.extend(found);
    }
    Ok(all)
}
