//! Whom an expression asks about.

use super::super::expression::{Expr, Mistake, Node};
use super::{Resolver, refused, word};
use crate::api::Kind;
use crate::assertion::Target;

impl Resolver<'_> {
    /// A workload, a revision or a node.
    ///
    /// # Errors
    /// Why the text names none, and the nearest thing that exists.
    pub(super) fn target(&self, expr: &Expr) -> Result<Target, Mistake> {
        match self.target_or_any(expr)? {
            Target::Any => Err(Mistake::new(expr.at.clone(), "`*` has no meaning here")
                .with_hint("name one object, such as deployment/web")),
            target => Ok(target),
        }
    }

    /// The same, or `*` for anything.
    pub(super) fn target_or_any(&self, expr: &Expr) -> Result<Target, Mistake> {
        let text = word(expr, "an object such as deployment/web")?;
        let at = || expr.at.clone();
        if text == "*" {
            return Ok(Target::Any);
        }
        if text.contains('#') {
            let owner = text.split('#').next().unwrap_or_default();
            return Err(Mistake::new(at(), "one pod on its own cannot be asked about")
                .with_hint(format!("ask about its ReplicaSet {owner}")));
        }
        if let Some(name) = text.strip_prefix("node/") {
            return match self.scope.nodes(name) {
                Ok(nodes) if nodes.len() == 1 && nodes[0] == name => Ok(Target::Node(name.to_string())),
                Ok(_) => Err(Mistake::new(at(), "name one node")),
                Err(refusal) => Err(refused(at(), refusal)),
            };
        }
        if let Some(revision) = self.revision(text) {
            return revision.map_err(|r| refused(at(), r));
        }
        if let Some(job) = self.job_to_come(text) {
            return Ok(job);
        }
        let object = self.scope.object(text).map_err(|r| refused(at(), r))?;
        Ok(Target::Workload { kind: object.kind, namespace: object.namespace.clone(), name: object.name.clone() })
    }

    /// A Job that a CronJob will create: its name ends with the minutes since
    /// 1970 of the time that it serves.
    fn job_to_come(&self, text: &str) -> Option<Target> {
        let (path, minutes) = text.rsplit_once('-')?;
        minutes.parse::<u64>().ok()?;
        let (kind, cron_job) = path.rsplit_once('/')?;
        if self.scope.object(text).is_ok() || Kind::parse(kind.rsplit('/').next()?) != Some(Kind::Job) {
            return None;
        }
        let owner = match kind.split_once('/') {
            Some((namespace, _)) => format!("{namespace}/cronjob/{cron_job}"),
            None => format!("cronjob/{cron_job}"),
        };
        let owner = self.scope.object(&owner).ok()?;
        let name = format!("{cron_job}-{minutes}");
        Some(Target::Workload { kind: Kind::Job, namespace: owner.namespace.clone(), name })
    }

    /// Whether a target is the top object of a workload or part of one: a Job
    /// of a CronJob has no series of its own.
    pub(super) fn has_series(&self, target: &Target) -> bool {
        match target {
            Target::Workload { kind, namespace, name } => {
                self.scope.objects.iter().any(|o| (o.kind, &o.namespace, &o.name) == (*kind, namespace, name))
            }
            _ => true,
        }
    }

    /// The ReplicaSet of a revision: `web/2`, `shop/web/2`,
    /// `replicaset/web/2`. `None` if the text has not this form.
    fn revision(&self, text: &str) -> Option<Result<Target, super::super::scope::Refusal>> {
        let (owner, number) = text.rsplit_once('/')?;
        number.parse::<u32>().ok()?;
        let owner = owner.strip_prefix("replicaset/").or_else(|| owner.strip_prefix("rs/")).unwrap_or(owner);
        let deployment = match owner.split_once('/') {
            None if Kind::parse(owner).is_some() => return None,
            Some((kind, _)) if Kind::parse(kind).is_some() => return None,
            None => format!("deployment/{owner}"),
            Some((namespace, name)) => format!("{namespace}/deployment/{name}"),
        };
        Some(self.scope.object(&deployment).map(|object| Target::Revision {
            namespace: object.namespace.clone(),
            name: format!("{}/{number}", object.name),
        }))
    }
}

/// Whether an expression is a plain name.
pub(super) fn is_name(expr: &Expr) -> bool {
    matches!(expr.node, Node::Word(_) | Node::Text(_))
}
