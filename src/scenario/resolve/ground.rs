//! Series about the machines, and about pods by where they are.

use super::super::expression::{Argument, Expr, Mistake};
use super::{Resolver, refused, usage, word};
use crate::assertion::{Curve, Ground, Level, Resource, Target};
use crate::timeline::Series;

/// Whether a call is one of these.
pub(super) fn is_about(name: &str, arguments: &[Argument]) -> bool {
    match name {
        "nodes" | "allocatable" | "requested" | "pending-requests" | "skew" => true,
        _ => arguments.len() == 2 && matches!(Series::parse(name), Some(Series::Ready | Series::OnNode)),
    }
}

impl Resolver<'_> {
    /// A series about the ground.
    pub(super) fn ground(&self, expr: &Expr, name: &str, arguments: &[Argument]) -> Result<Curve, Mistake> {
        let ground = match (name, arguments) {
            ("nodes", [of]) => self.nodes(&of.value)?,
            ("allocatable", [of]) => Ground::Allocatable(resource(&of.value)?),
            ("requested", [of]) => Ground::Requested(resource(&of.value)?),
            ("pending-requests", [of]) => Ground::Pending(resource(&of.value)?),
            ("skew", [of, by]) if word(&by.value, "`zone`")? == "zone" => Ground::Skew(self.by_zone(&of.value)?),
            (name, [of, place]) => {
                let Some(series) = Series::parse(name) else { return Err(usage(expr.at.clone(), name)) };
                Ground::InZone(Level { series, target: self.by_zone(&of.value)? }, self.zone(&place.value)?)
            }
            _ => return Err(usage(expr.at.clone(), name)),
        };
        Ok(Curve::Ground(ground))
    }

    fn nodes(&self, of: &Expr) -> Result<Ground, Mistake> {
        let text = word(of, "nodes such as zone/a or *")?;
        if let Some(pool) = text.strip_prefix("pool/").filter(|pool| self.scope.pools.iter().any(|p| p == pool)) {
            return Ok(Ground::Nodes(format!("{pool}-*")));
        }
        if text != "*" {
            self.scope.nodes(text).map_err(|refusal| refused(of.at.clone(), refusal))?;
        }
        Ok(Ground::Nodes(text.to_string()))
    }

    /// A workload with pods in zones.
    fn by_zone(&self, of: &Expr) -> Result<Target, Mistake> {
        match self.target(of)? {
            target @ Target::Workload { kind, .. } if kind.is_workload() && self.has_series(&target) => Ok(target),
            _ => Err(Mistake::new(of.at.clone(), "only workloads such as deployment/web are counted by zone")),
        }
    }

    fn zone(&self, place: &Expr) -> Result<String, Mistake> {
        let text = word(place, "a zone such as zone/a")?;
        let Some(zone) = text.strip_prefix("zone/") else {
            return Err(Mistake::new(place.at.clone(), format!("`{text}` is not a zone")).with_hint("write zone/a"));
        };
        let known = || self.scope.nodes.iter().map(|node| node.1.as_str()).filter(|zone| !zone.is_empty());
        if known().any(|other| other == zone) {
            return Ok(zone.to_string());
        }
        let mistake = Mistake::new(place.at.clone(), format!("there is no zone {zone} in this scenario"));
        Err(match super::suggest::nearest(zone, known()) {
            Some(near) => mistake.with_hint(format!("did you mean zone/{near}?")),
            None => mistake,
        })
    }
}

fn resource(of: &Expr) -> Result<Resource, Mistake> {
    match word(of, "cpu or memory")? {
        "cpu" => Ok(Resource::Cpu),
        "memory" => Ok(Resource::Memory),
        other => Err(Mistake::new(of.at.clone(), format!("`{other}` is neither cpu nor memory"))),
    }
}
