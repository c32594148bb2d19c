//! What batch work does.

use super::Compiler;
use crate::environment::Delay;
use crate::scenario::file::{Effects, RunEntry, When};
use crate::sim::setup::{Chance, Effect, EffectTime, KeyTemplate, Outage, Run};
use crate::time::SimTime;
use std::sync::Arc;

/// More effects of one run than anybody needs, and as many as there are bits.
const MOST_EFFECTS: usize = 64;

impl Compiler<'_> {
    pub(super) fn run(&mut self, entry: &RunEntry, field: &str) -> Run {
        self.distribution(&entry.duration, &format!("{field}.duration"));
        let mut run = Run {
            duration: Delay::from(&entry.duration),
            exits: entry.exits.clone(),
            durations: entry.durations.iter().map(Delay::from).collect(),
            fails: entry.fails.map(|c| Chance { probability: c.probability.0, exit: c.exit.unwrap_or(1) }),
            ..Run::default()
        };
        for (i, duration) in entry.durations.iter().enumerate() {
            self.distribution(duration, &format!("{field}.durations[{i}]"));
        }
        for (name, of_index) in &entry.indexes {
            let field = format!("{field}.indexes.{name}");
            let Ok(index) = name.parse::<u32>() else {
                self.problem(&field, format!("`{name}` is not a completion index"), None);
                continue;
            };
            if let Some(duration) = &of_index.duration {
                self.distribution(duration, &format!("{field}.duration"));
                run.index_durations.insert(index, Delay::from(duration));
            }
            run.index_exits.extend(of_index.exits.clone().map(|exits| (index, exits)));
        }
        for (i, outage) in entry.outages.iter().enumerate() {
            if outage.until.0 <= outage.from.0 {
                self.problem(&format!("{field}.outages[{i}].until"), "it is over before it begins", None);
            }
            let probability = outage.probability.map_or(1.0, |p| p.0);
            run.outages.push(Outage {
                from: SimTime::ZERO.after(outage.from.0),
                until: SimTime::ZERO.after(outage.until.0),
                after: outage.after.0,
                hits: Chance { probability, exit: outage.exit.unwrap_or(1) },
            });
        }
        run
    }

    pub(super) fn effects(&mut self, entries: &Effects, field: &str) -> Arc<[Effect]> {
        if entries.0.len() > MOST_EFFECTS {
            self.problem(field, format!("more than {MOST_EFFECTS} effects of one run"), None);
        }
        let effects = entries.0.iter().filter_map(|entry| {
            let key = self.check(field, KeyTemplate::parse(&entry.key).map_err(|message| (message, None)))?;
            let at = match entry.at {
                None => EffectTime::Percent(100),
                Some(When::Percent(percent)) => EffectTime::Percent(percent),
                Some(When::After(after)) => EffectTime::After(after.0),
            };
            Some(Effect { key, at, on_success: entry.on_success })
        });
        effects.collect()
    }
}
