//! Kubernetes Events as controllers write them.

use super::{Emitted, Trace};

/// A Kubernetes Event with its message written out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The reason, such as `ScalingReplicaSet`.
    pub reason: String,
    /// The message, with the names that do not depend on hashes.
    pub message: String,
    /// `type: Warning` instead of `Normal`.
    pub warning: bool,
}

impl Message {
    /// `Warning` or `Normal`, as the API spells it.
    pub const fn type_name(&self) -> &'static str {
        if self.warning { "Warning" } else { "Normal" }
    }
}

impl Trace {
    /// Reason, message and type of an emitted Event.
    ///
    /// Upstream: `pkg/controller/deployment/sync.go scaleReplicaSet`,
    /// `pkg/controller/controller_utils.go createPods, DeletePod`
    pub fn message(&self, emitted: &Emitted) -> Message {
        let normal = |reason: &str, message: String| Message { reason: reason.to_string(), message, warning: false };
        match *emitted {
            Emitted::Scaled { replica_set, from, to } => {
                let name = &self.subject(replica_set).name;
                let way = if to < from { "down" } else { "up" };
                normal("ScalingReplicaSet", format!("Scaled {way} replica set {name} from {from} to {to}"))
            }
            Emitted::CreatedPod(pod) => normal("SuccessfulCreate", format!("Created pod: {}", self.subject(pod).name)),
            Emitted::DeletedPod(pod) => normal("SuccessfulDelete", format!("Deleted pod: {}", self.subject(pod).name)),
            Emitted::Scheduled { pod, node } => {
                let (pod, node) = (self.subject(pod), self.subject(node));
                normal("Scheduled", format!("Successfully assigned {}/{} to {}", pod.namespace, pod.name, node.name))
            }
            Emitted::Other { reason, message, warning } => Message {
                reason: self.symbols.get(reason).to_string(),
                message: self.symbols.get(message).to_string(),
                warning,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::trace::{Subject, SubjectId};

    #[test]
    fn messages_read_like_the_controllers_own() {
        let mut trace = Trace::default();
        for (kind, name) in [(Kind::ReplicaSet, "web/1"), (Kind::Pod, "web/1#0")] {
            trace.subjects.push(Subject {
                kind,
                namespace: "default".into(),
                name: name.into(),
                api_name: "web-abc".into(),
                owner: None,
                revision: 1,
                room: crate::api::Resources::default(),
                zone: None,
            });
        }
        let (set, pod) = (SubjectId(0), SubjectId(1));
        let (reason, message) = (trace.symbols.intern("Odd"), trace.symbols.intern("something odd"));
        for (emitted, kind, said, type_name) in [
            (
                Emitted::Scaled { replica_set: set, from: 0, to: 3 },
                "ScalingReplicaSet",
                "Scaled up replica set web/1 from 0 to 3",
                "Normal",
            ),
            (
                Emitted::Scaled { replica_set: set, from: 3, to: 2 },
                "ScalingReplicaSet",
                "Scaled down replica set web/1 from 3 to 2",
                "Normal",
            ),
            (Emitted::CreatedPod(pod), "SuccessfulCreate", "Created pod: web/1#0", "Normal"),
            (Emitted::DeletedPod(pod), "SuccessfulDelete", "Deleted pod: web/1#0", "Normal"),
            (Emitted::Other { reason, message, warning: true }, "Odd", "something odd", "Warning"),
        ] {
            let got = trace.message(&emitted);
            assert_eq!((&*got.reason, &*got.message, got.type_name()), (kind, said, type_name));
        }
    }
}
