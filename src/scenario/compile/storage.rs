//! Storage: how long it takes, and the classes that nobody wrote down.

use super::Compiler;
use crate::api::{BindingMode, Kind, Meta, Object, Reclaim, StorageClass};
use crate::environment::Delay;
use crate::scenario::file::{Spec, VolumesEntry};
use crate::scenario::scope::Named;
use crate::sim::setup::Volumes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The class of claims that name none, where no manifest has one.
const DEFAULT: &str = "standard";

/// The most claims of one StatefulSet that assertions can name.
const MOST_CLAIMS: i32 = 1_000;

impl Compiler<'_> {
    /// How storage behaves, if anything asks for it. Classes that claims name
    /// and no manifest has are added.
    pub(super) fn storage(
        &mut self,
        typed: Option<&VolumesEntry>,
        objects: &mut Vec<Object>,
        assumptions: &mut Vec<String>,
    ) -> Option<Volumes> {
        let wanted = wanted_classes(objects);
        if typed.is_none() && wanted.is_empty() && !objects.iter().any(|o| o.kind() == Kind::PersistentVolume) {
            return None;
        }
        let mut volumes = Volumes::default();
        let entry = typed.cloned().unwrap_or_default();
        for (name, entry, delay) in [
            ("provision", entry.provision, &mut volumes.provision),
            ("attach", entry.attach, &mut volumes.attach),
            ("detach", entry.detach, &mut volumes.detach),
        ] {
            if let Some(entry) = entry {
                self.distribution(&entry, &format!("spec.volumes.{name}"));
                *delay = Delay::from(&entry);
            }
        }
        let missing = missing_classes(&wanted, objects);
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|class| &*class.meta.name).collect();
            let class = if names.len() == 1 { "class" } else { "classes" };
            assumptions.push(format!(
                "storage {class} {}: disks of one zone, made when the pod has its node (WaitForFirstConsumer), \
                 gone with their claim",
                names.join(", ")
            ));
        }
        if typed.is_none() {
            assumptions.push("a volume is made in 3s, attached in 10s and detached in 10s".to_string());
        }
        let classes = missing.into_iter().map(|class| Object::StorageClass(Box::new(class)));
        objects.splice(0..0, classes);
        Some(volumes)
    }
}

/// The classes that claims ask for; `None` for the default one.
fn wanted_classes(objects: &[Object]) -> BTreeSet<Option<Arc<str>>> {
    let of = |object: &Object| -> Vec<Option<Arc<str>>> {
        match object {
            Object::StatefulSet(set) => set.spec.claims.iter().map(|claim| claim.spec.class.clone()).collect(),
            Object::PersistentVolumeClaim(claim) => vec![claim.spec.class.clone()],
            _ => Vec::new(),
        }
    };
    objects.iter().flat_map(of).collect()
}

fn missing_classes(wanted: &BTreeSet<Option<Arc<str>>>, objects: &[Object]) -> Vec<StorageClass> {
    let known = || {
        objects.iter().filter_map(|object| match object {
            Object::StorageClass(class) => Some(class),
            _ => None,
        })
    };
    let class = |name: &str, is_default: bool| StorageClass {
        meta: Meta::named("", name),
        provisioner: "disks".into(),
        binding: BindingMode::WaitForFirstConsumer,
        reclaim: Reclaim::Delete,
        topologies: Vec::new(),
        is_default,
    };
    let missing = wanted.iter().filter_map(|name| match name {
        None => (!known().any(|c| c.is_default)).then(|| class(DEFAULT, true)),
        // Claims of no class are for volumes made by hand.
        Some(name) if name.is_empty() || known().any(|c| c.meta.name == *name) => None,
        Some(name) => Some(class(name, false)),
    });
    missing.collect()
}

/// The claims that StatefulSets will make, so that assertions can name them.
pub(super) fn claims(spec: &Spec, objects: &[Object]) -> Vec<Named> {
    let scaled = spec.actions.iter().filter_map(|a| a.scale.as_ref());
    let largest = scaled.flat_map(BTreeMap::values).copied().max().unwrap_or(0);
    let largest = i32::try_from(largest).unwrap_or(MOST_CLAIMS);
    let mut all = Vec::new();
    for object in objects {
        let Object::StatefulSet(set) = object else { continue };
        let count = set.spec.replicas.max(largest).min(MOST_CLAIMS);
        for template in &*set.spec.claims {
            all.extend((0..count).map(|i| Named {
                kind: Kind::PersistentVolumeClaim,
                namespace: set.meta.namespace.to_string(),
                name: format!("{}-{}-{}", template.name, set.meta.name, set.spec.start.saturating_add(i)),
            }));
        }
    }
    all
}
