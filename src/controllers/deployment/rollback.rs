//! Putting an earlier revision back, as the annotation that is left of
//! `spec.rollbackTo` asks for. `kubectl rollout undo` does it by itself.

use super::revisions::{HASH_LABEL, NewSet};
use super::{Pass, Set};
use crate::api::{Annotations, PodTemplate, ReplicaSet};
use crate::controllers::{Notice, ObjectNotice, Version, Write};
use std::sync::Arc;

impl<'a> Pass<'a> {
    /// Puts the template of a revision back, that of the one before if it is
    /// 0. Whether or not there is such a one, it is asked for no longer.
    ///
    /// Upstream: `deployment/rollback.go rollback`, `rollbackToTemplate`
    pub(super) fn roll_back(&mut self, sets: &[Set<'a>], revision: i64) {
        let sets = self.existing_or_new(sets);
        let mut all: Vec<(i64, Option<&ReplicaSet>)> =
            sets.old.iter().map(|(_, set)| (set.marks.revision.unwrap_or(0), Some(*set))).collect();
        match &sets.new {
            Some(NewSet::Existing((_, set))) => all.push((set.marks.revision.unwrap_or(0), Some(*set))),
            Some(NewSet::Created(_)) => all.push((self.revision.unwrap_or(0), None)),
            None => {}
        }
        let numbers: Vec<i64> = all.iter().map(|(number, _)| *number).collect();
        let wanted = if revision == 0 { last_revision(&numbers) } else { revision };
        let own = &self.deployment.spec.template;
        let name = &self.deployment.meta.name;
        match all.iter().find(|(number, _)| wanted != 0 && *number == wanted) {
            None => {
                let message = match wanted {
                    0 => "Unable to find last revision.",
                    _ => "Unable to find the revision to rollback to.",
                };
                self.warn("DeploymentRollbackRevisionNotFound", message.to_string());
                self.forget_rollback(own.clone(), self.deployment.meta.annotations.clone());
            }
            Some((_, Some(set))) if !PodTemplate::same_revision(&set.spec.template, own) => {
                let template = Arc::new(set.spec.template.without_label(HASH_LABEL));
                self.forget_rollback(template, set.meta.annotations.clone());
                let message = format!("Rolled back deployment {name:?} to revision {wanted}");
                self.plan.announce(self.key, Notice::normal("DeploymentRollback", message));
            }
            Some(_) => {
                let message =
                    format!("The rollback revision contains the same template as current deployment {name:?}");
                self.warn("DeploymentRollbackTemplateUnchanged", message);
                self.forget_rollback(own.clone(), self.deployment.meta.annotations.clone());
            }
        }
    }

    fn warn(&mut self, reason: &'static str, message: String) {
        self.plan.notices.push(ObjectNotice { about: self.key, reason, message, object: self.key, warning: true });
    }

    /// Upstream: `deployment/rollback.go updateDeploymentAndClearRollbackTo`
    fn forget_rollback(&mut self, template: Arc<PodTemplate>, annotations: Annotations) {
        let version = Version::Cached(self.deployment.meta.resource_version);
        self.plan.write(Write::RollBack { deployment: self.key, version, template, annotations });
    }
}

/// The highest number but one; 0 if there is none.
///
/// Upstream: `deployment/util/deployment_util.go LastRevision`
fn last_revision(numbers: &[i64]) -> i64 {
    let (mut newest, mut last) = (0, 0);
    for &number in numbers {
        if number >= newest {
            (newest, last) = (number, newest);
        } else if number > last {
            last = number;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Deployment, Meta, Object, OwnerRef, RolloutMarks};
    use crate::cluster::Store;
    use crate::controllers::deployment::DeploymentController;
    use crate::controllers::{Controller, Plan, View, WorkQueue};
    use crate::manifest;
    use crate::time::Instant;
    use serde_json::json;

    #[test]
    fn the_revision_before_is_the_highest_but_one() {
        for (numbers, last) in [(vec![], 0), (vec![4], 0), (vec![1, 2, 5], 2), (vec![5, 2, 1], 2), (vec![3, 3], 3)] {
            assert_eq!(last_revision(&numbers), last, "{numbers:?}");
        }
    }

    fn web(image: &str, annotations: &serde_json::Value) -> Deployment {
        let document = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "annotations": annotations},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": image}]}
            }}
        });
        match manifest::read(&document).expect("a Deployment").object {
            Object::Deployment(deployment) => *deployment,
            _ => panic!("not a Deployment"),
        }
    }

    /// What a sync writes, if the Deployment has v3 and there are ReplicaSets
    /// of v1 to v3.
    fn written(to: &str) -> (Vec<String>, Vec<&'static str>) {
        let mut store = Store::default();
        let own = web("app:v3", &json!({"deprecated.deployment.rollback.to": to, "why": "third"}));
        let key = store.create(own).expect("new");
        for revision in 1..=3 {
            let why = json!({"why": format!("v{revision}")});
            let Deployment { meta, spec, .. } = web(&format!("app:v{revision}"), &why);
            let labels = Arc::new(spec.template.labels.with(HASH_LABEL, "x"));
            let set = ReplicaSet {
                meta: Meta {
                    labels: labels.clone(),
                    annotations: meta.annotations,
                    owners: vec![OwnerRef { key, controller: true, blocks_deletion: true }],
                    ..Meta::named("default", &format!("web-{revision}"))
                },
                spec: crate::api::ReplicaSetSpec {
                    replicas: 0,
                    min_ready_seconds: 0,
                    selector: spec.selector,
                    template: Arc::new(PodTemplate { labels, ..(*spec.template).clone() }),
                },
                status: crate::api::ReplicaSetStatus::default(),
                marks: RolloutMarks { revision: Some(revision), ..RolloutMarks::default() },
            };
            store.create(set).expect("new");
        }
        let (mut plan, mut queue) = (Plan::default(), WorkQueue::default());
        let view = View::up_to_date(store.objects(), Instant(0));
        DeploymentController.sync(key, view, &mut plan, &mut queue).expect("it answers");
        let words = plan.writes.iter().filter_map(|planned| match &planned.write {
            Write::RollBack { template, annotations, .. } => {
                assert_eq!(template.labels.get(HASH_LABEL), None);
                Some(format!("{} {}", template.containers[0].image, annotations["why"]))
            }
            Write::Announce { notice, .. } => Some(notice.reason.to_string()),
            _ => None,
        });
        (words.collect(), plan.notices.iter().map(|notice| notice.reason).collect())
    }

    #[test]
    fn the_template_of_the_revision_comes_back() {
        for (to, writes, warned) in [
            ("1", vec!["app:v1 v1", "DeploymentRollback"], None),
            ("0", vec!["app:v2 v2", "DeploymentRollback"], None),
            ("3", vec!["app:v3 third"], Some("DeploymentRollbackTemplateUnchanged")),
            ("9", vec!["app:v3 third"], Some("DeploymentRollbackRevisionNotFound")),
        ] {
            let (words, notices) = written(to);
            assert_eq!(
                (words, notices),
                (writes.iter().map(ToString::to_string).collect(), warned.into_iter().collect())
            );
        }
    }
}
