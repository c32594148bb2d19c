//! Parts: the rows of some cells with the plan they belong to, as text.
//!
//! The first line is the plan, every other line a row, sorted by cell. A part
//! says nothing of threads, shards and times, so the merged part of a
//! campaign is the same bytes however it was computed.

use super::plan::{Cell, Plan};
use super::row::Row;
use crate::error::Problem;
use serde::{Deserialize, Serialize};

/// The version of the files' form.
const SCHEMA: u32 = 2;

/// Rows of a campaign.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// The campaign.
    pub plan: Plan,
    /// The arguments of `seatrial run` for what was swept, without settings
    /// and seed. They are no part of the plan: how files were found decides
    /// nothing.
    pub input: String,
    /// Rows sorted by cell, each cell once.
    pub rows: Vec<Row>,
}

/// The first line of a part.
#[derive(Serialize, Deserialize)]
struct Head {
    seatrial: String,
    schema: u32,
    plan: Plan,
    #[serde(default)]
    input: String,
}

impl Part {
    /// A part of rows in any order; of several rows of one cell one is kept,
    /// as they are the same.
    pub fn new(plan: Plan, input: String, mut rows: Vec<Row>) -> Part {
        rows.sort_unstable_by_key(|r| r.cell);
        rows.dedup_by_key(|r| r.cell);
        Part { plan, input, rows }
    }

    /// The part as a file.
    pub fn to_text(&self) -> String {
        let head = Head {
            seatrial: "campaign part".to_string(),
            schema: SCHEMA,
            plan: self.plan.clone(),
            input: self.input.clone(),
        };
        let mut text = serde_json::to_string(&head).unwrap_or_default();
        text.push('\n');
        for row in &self.rows {
            text.push_str(&serde_json::to_string(row).unwrap_or_default());
            text.push('\n');
        }
        text
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Text that is no part, or of another version of the form.
    pub fn from_text(text: &str) -> Result<Part, Problem> {
        let wrong = |message: String| Problem::new(message).with_hint("a part is what `seatrial sweep --shard` writes");
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let no_part = |e: serde_json::Error| wrong(format!("this is no part of a sweep: {e}"));
        let value: serde_json::Value = serde_json::from_str(first).map_err(no_part)?;
        if let Some(form) = value["schema"].as_u64().filter(|form| *form != u64::from(SCHEMA)) {
            return Err(wrong(format!("this part has the form {form}, and {SCHEMA} is read")));
        }
        let head: Head = serde_json::from_value(value).map_err(no_part)?;
        let row = |(i, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|e| wrong(format!("line {} is no row: {e}", i + 2)))
        };
        let rows: Vec<Row> = lines.enumerate().map(row).collect::<Result<_, _>>()?;
        if let Some(row) = rows.iter().find(|r| r.cell >= head.plan.cells()) {
            return Err(wrong(format!("cell {} is not in the plan", row.cell)));
        }
        Ok(Part::new(head.plan, head.input, rows))
    }

    /// The cell of a row.
    pub fn cell(&self, row: &Row) -> Cell {
        let count = u64::from(self.plan.seeds.count());
        Cell { number: row.cell, point: (row.cell / count) as usize, replicate: (row.cell % count) as u32 }
    }

    /// All rows as JSON Lines.
    pub fn json_lines(&self) -> String {
        self.rows.iter().fold(String::new(), |text, row| text + &row.json(&self.plan, self.cell(row)) + "\n")
    }

    /// The records of a table, the names of its columns first.
    pub fn records(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let rows = self.rows.iter().map(|row| row.csv(&self.plan, self.cell(row)));
        std::iter::once(Row::csv_head(&self.plan)).chain(rows)
    }
}

/// Puts the parts of one campaign together.
///
/// # Errors
/// Parts of different campaigns, and cells that are missing.
pub fn merge(parts: Vec<Part>) -> Result<Part, Problem> {
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else { return Err(Problem::new("there are no parts")) };
    let (plan, input, mut rows) = (first.plan, first.input, first.rows);
    for part in parts {
        if part.plan != plan {
            let hint = "merge parts of the same scenario, settings, seeds and version only";
            return Err(Problem::new(differs(&plan, &part.plan)).with_hint(hint));
        }
        rows.extend(part.rows);
    }
    let whole = Part::new(plan, input, rows);
    let cells = whole.plan.cells();
    if whole.rows.len() as u64 != cells {
        let missing = (0..cells).zip(whole.rows.iter().map(|r| Some(r.cell)).chain(std::iter::repeat(None)));
        let first = missing.into_iter().find(|(want, have)| *have != Some(*want)).map_or(0, |(want, _)| want);
        let message =
            format!("{} of {cells} cells are missing, the first is cell {first}", cells - whole.rows.len() as u64);
        return Err(Problem::new(message).with_hint("run the shards that are not finished again, then merge"));
    }
    Ok(whole)
}

/// In what two plans differ, for people.
fn differs(a: &Plan, b: &Plan) -> String {
    let what = match () {
        () if a.engine != b.engine => "versions of seatrial",
        () if a.scenario != b.scenario => "scenarios",
        () if a.workload != b.workload || a.columns != b.columns => "figures",
        () if a.master_seed != b.master_seed || a.seeds != b.seeds => "seeds",
        () => "settings",
    };
    format!("these parts come from different {what}")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::campaign::{Amount, Column, Point, Seeds};

    /// A plan of a Deployment with one setting.
    pub(in crate::campaign) fn plan_of(points: Vec<Point>, seeds: u32) -> Plan {
        Plan {
            engine: "1".into(),
            title: "web".into(),
            scenario: "s".into(),
            master_seed: 1,
            seeds: Seeds::Common(seeds),
            workload: "deployment/web".into(),
            columns: Column::of_kind(Kind::Deployment),
            fields: vec!["deployment/web.maxSurge".into()],
            points,
        }
    }

    fn plan() -> Plan {
        plan_of(["0", "25%"].map(|v| Point { values: vec![Some(v.into())], own: v == "25%" }).to_vec(), 3)
    }

    fn part(cells: &[u64]) -> Part {
        let values = |cell: u64| vec![(cell > 0).then_some(Amount::from(cell as i64 * 10)), Amount::new(0.5)];
        let row = |&cell: &u64| Row { cell, values: values(cell), ..Row::default() };
        Part::new(plan(), "web.yaml".into(), cells.iter().map(row).collect())
    }

    #[test]
    fn any_cut_gives_the_same_whole() {
        let whole = part(&[0, 1, 2, 3, 4, 5]);
        for parts in [vec![&[0, 1, 2, 3, 4, 5][..]], vec![&[5, 3, 1], &[4, 0, 2]], vec![&[1, 2], &[2, 3, 4, 5], &[0]]] {
            let read = |cells: &&[u64]| Part::from_text(&part(cells).to_text()).unwrap();
            let merged = merge(parts.iter().map(read).collect()).unwrap();
            assert_eq!(merged.to_text(), whole.to_text());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(merge(Vec::new()).is_err());
        let problem = merge(vec![part(&[0, 1]), part(&[4, 5])]).unwrap_err();
        assert!(problem.message.starts_with("2 of 6 cells are missing, the first is cell 2"), "{problem}");
        let mut other = part(&[2]);
        other.plan.master_seed = 2;
        assert!(merge(vec![part(&[0]), other]).unwrap_err().message.contains("different seeds"));
        let mut other = part(&[2]);
        other.plan.columns.pop();
        assert!(merge(vec![part(&[0]), other]).unwrap_err().message.contains("different figures"));
        assert!(Part::from_text("").is_err());
        let old = part(&[0]).to_text().replacen(r#""schema":2"#, r#""schema":1"#, 1);
        assert!(Part::from_text(&old).unwrap_err().message.contains("the form 1, and 2 is read"));
        assert!(Part::from_text(&part(&[7]).to_text()).unwrap_err().message.contains("cell 7"));
        let cut = part(&[0, 1]).to_text();
        assert!(Part::from_text(&cut[..cut.len() - 5]).unwrap_err().message.contains("line 3"));
    }

    #[test]
    fn tables_have_a_column_for_each_setting() {
        let records: Vec<Vec<String>> = part(&[0, 4]).records().collect();
        let want = ["cell", "point", "replicate", "seed", "deployment/web.maxSurge", "rollout_ms"];
        assert_eq!(records[0][..6], want);
        assert_eq!(records[1][..6], ["0", "0", "0", "0", "0", ""]);
        assert_eq!(records[2][..7], ["4", "1", "1", "0", "25%", "40", "0.5"]);
        assert_eq!(records[0].len(), records[2].len());
        let line = part(&[4]).json_lines();
        assert!(
            line.starts_with(
                r#"{"cell":4,"point":1,"replicate":1,"seed":0,"set":{"deployment/web.maxSurge":"25%"},"rollout_ms":40,"#
            ),
            "{line}"
        );
    }
}
