//! `seatrial fit`

use super::Outcome;
use super::arguments::{Colours, Fit};
use super::output::{self, Failure};
use super::picture;
use seatrial::error::Problem;
use seatrial::fit;
use seatrial::plot::{self, PlotOptions, Theme};
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// Writes the `pods:` section that fits what a cluster says.
pub(super) fn fit(arguments: &Fit) -> Result<Outcome, Failure> {
    let format = arguments.plot.as_deref().map(picture::format).transpose()?;
    let documents = arguments.files.iter().map(|f| read(f)).collect::<Result<Vec<Value>, _>>()?;
    let observed = fit::observe(&documents)?;
    let fitted = fit::fit_all(&observed);
    anstream::eprintln!("{} pods and {} events were read", observed.pods, observed.events);
    if observed.restarted > 0 {
        anstream::eprintln!("note: {} pods had restarted, when they first started is not known", observed.restarted);
    }
    if observed.events > 0 && fitted.iter().all(|f| f.pulls.is_empty()) {
        anstream::eprintln!("note: no event tells how long images were pulled; events are kept for an hour only");
    }
    if let (Some(path), Some(format)) = (&arguments.plot, format) {
        let default = PlotOptions::default();
        let theme = match arguments.look.theme {
            Colours::Light => Theme::Light,
            Colours::Dark => Theme::Dark,
        };
        let options = PlotOptions { width: arguments.look.width.unwrap_or(default.width), theme, ..default };
        output::write_file(path, &plot::draw_fitted(&fitted, &options, format)?)?;
    }
    output::print(&fit::section(&fitted), Outcome::Passed)
}

/// Reads a JSON document from a file or, as `-`, from standard input.
fn read(path: &Path) -> Result<Value, Failure> {
    let mut text = String::new();
    let done = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    done.map_err(|e| Problem::new(format!("cannot read this file: {e}")).in_file(path))?;
    serde_json::from_str(&text).map_err(|e| {
        let problem = Problem::new(format!("not JSON: {e}")).in_file(path);
        problem.with_hint("`kubectl get pods,events -A -o json` prints it").into()
    })
}
