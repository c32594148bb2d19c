//! Headless Services: which pods can be found by their own name.
//!
//! A pod with a host name and a subdomain, as those of StatefulSets have, is
//! found as `web-0.web` while a headless Service called `web` has it among
//! its endpoints. Caches of resolvers are left out.

use super::Simulation;
use crate::api::{Key, Kind, Pod, Service};
use crate::cluster::{Change, Verb};
use crate::trace::What;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What is known of names.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// How many headless Services there are.
    services: usize,
    /// The subdomain of each pod that has a host name and one.
    subdomains: FxHashMap<Key, Arc<str>>,
    /// Pods whose names answer.
    answering: FxHashSet<Key>,
}

/// Whether a pod's own name answers.
///
/// Upstream: `staging/src/k8s.io/endpointslice/utils.go podToEndpoint` and
/// `staging/src/k8s.io/endpointslice/util/controller_utils.go ShouldPodBeInEndpoints`
fn answers(pod: &Pod, service: &Service) -> bool {
    let has_address = pod.phase == crate::api::Phase::Running;
    let wanted = service.publish_not_ready_addresses || (pod.ready && !pod.meta.is_deleting());
    service.headless && service.selects(&pod.meta.labels) && has_address && wanted
}

impl Simulation {
    /// A watch event about anything that names depend on.
    pub(super) fn names_see(&mut self, change: &Change) {
        match change.key.kind {
            Kind::Service => {
                let services = self.store.objects().services.iter();
                self.names.services = services.filter(|(_, service)| service.headless).count();
                for pod in self.store.objects().keys_by_name(Kind::Pod) {
                    self.look_up(pod);
                }
            }
            Kind::Pod => {
                if change.verb == Verb::Added {
                    self.christen(change.key);
                }
                if self.names.services > 0 {
                    self.look_up(change.key);
                }
                if change.verb == Verb::Deleted {
                    self.names.subdomains.remove(&change.key);
                }
            }
            _ => {}
        }
    }

    /// Keeps the subdomain of a new pod, if it has a host name too.
    ///
    /// Upstream: `pkg/controller/statefulset/stateful_set_utils.go initIdentity`
    fn christen(&mut self, key: Key) {
        let objects = self.store.objects();
        let Some(pod) = objects.pods.get(key) else { return };
        let set = pod.meta.controller().filter(|owner| owner.kind == Kind::StatefulSet);
        let subdomain: Option<Arc<str>> = match set.and_then(|set| objects.stateful_sets.get(set)) {
            Some(set) => Some(set.spec.service_name.clone()),
            None => {
                let spec = pod.template.raw.value().get("spec");
                let text = |name: &str| spec?.get(name)?.as_str();
                // Only a name that is the pod's own would be unique.
                let own = |_: &&str| text("hostname").is_some_and(|host| host == &*pod.meta.name);
                text("subdomain").filter(own).map(Into::into)
            }
        };
        if let Some(subdomain) = subdomain.filter(|name| !name.is_empty()) {
            self.names.subdomains.insert(key, subdomain);
        }
    }

    fn look_up(&mut self, key: Key) {
        let Some(subdomain) = self.names.subdomains.get(&key) else { return };
        let objects = self.store.objects();
        let pod = objects.pods.get(key);
        let now = pod.is_some_and(|pod| {
            let service = objects.services.find(&pod.meta.namespace, subdomain);
            service.and_then(|service| objects.services.get(service)).is_some_and(|service| answers(pod, service))
        });
        let before = self.names.answering.contains(&key);
        if now == before {
            return;
        }
        if now {
            self.names.answering.insert(key);
        } else {
            self.names.answering.remove(&key);
        }
        let last = self.recorder.last;
        let cause = self.recorder.latest_of(key.uid);
        self.recorder.note(cause, key.uid, if now { What::Named } else { What::Unnamed });
        // What others observe next, they observe because of the pod.
        self.recorder.last = last;
    }
}
