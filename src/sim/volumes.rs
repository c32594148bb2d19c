//! Storage as the cluster's own helpers run it: claims get volumes, disks are
//! attached to nodes and detached, and pods wait for both.
//!
//! Nothing of this happens in a run whose setup has no [`Volumes`], and pods
//! without claims never come here.

use super::actions::Outcome;
use super::event::{DiskStep, Event, PodRef};
use super::fields::{Fields, Raw, Recorded};
use super::{Simulation, Urgency};
use crate::api::{
    BindingMode, ClaimRef, Finalizers, Key, Kind, Meta, NodeMatch, Operator, PersistentVolume, PersistentVolumeClaim,
    PodClaim, Reclaim, StorageClass, VolumePhase,
};
use crate::cluster::{Change, Verb};
use crate::controllers::Notice;
use crate::environment::volumes::{
    ClaimReach, Disks, FORCE_DETACH_AFTER, Lack, OUT_OF_SERVICE, Reach, UNMOUNT, Wanted,
};
use crate::rng::Draws;
use crate::sim::setup::Volumes;
use crate::time::Span;
use crate::trace::{Field, RecordId, Value, What};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The label of a node with its zone.
const ZONE: &str = "topology.kubernetes.io/zone";

/// What the helpers remember.
#[derive(Clone, Debug, Default)]
pub(super) struct Storage {
    disks: Disks,
    /// The pods of each claim, oldest first.
    pods: FxHashMap<(Arc<str>, Arc<str>), Vec<Key>>,
    /// Namespace and claims of the pods that have any.
    claims: FxHashMap<Key, (Arc<str>, Arc<[PodClaim]>)>,
    /// Pods for which a node was chosen while their claims have no volumes.
    promised: FxHashMap<Key, Key>,
    /// Claims whose volumes are being made, and for which node.
    provisioning: FxHashMap<Key, Option<Key>>,
    /// Volumes made by hand that nobody has yet, oldest first.
    free: Vec<Key>,
    /// The volume of each claim that has one.
    bound: FxHashMap<Key, Key>,
    /// Pods that wait on their node for disks.
    attaching: FxHashMap<Key, u32>,
}

impl Simulation {
    /// How storage behaves, in runs that model it.
    fn volumes(&self) -> Option<&Volumes> {
        self.setup.volumes.as_ref()
    }

    /// Somebody applies a claim that no StatefulSet made.
    pub(super) fn create_claim_by_hand(&mut self, claim: &PersistentVolumeClaim, cause: RecordId) -> Outcome {
        self.create_object(self.protected(claim), cause)
    }

    /// A new claim as the API server admits it: held as long as pods use it.
    ///
    /// Upstream: `plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go Admit`
    pub(super) fn protected(&self, claim: &PersistentVolumeClaim) -> PersistentVolumeClaim {
        let mut claim = claim.clone();
        if self.volumes().is_some() {
            claim.meta.finalizers = claim.meta.finalizers.with(Finalizers::CLAIM_IN_USE);
        }
        claim
    }

    /// A watch event about anything that storage depends on.
    pub(super) fn storage_sees(&mut self, change: &Change) {
        if self.volumes().is_none() {
            return;
        }
        match (change.key.kind, change.verb) {
            (Kind::PersistentVolumeClaim, Verb::Added) => {
                self.provide(change.key);
                self.volumes_are_new();
            }
            (Kind::PersistentVolumeClaim, Verb::Modified) if change.deletion_started => self.let_claim_go(change.key),
            (Kind::PersistentVolumeClaim, Verb::Deleted) => self.reclaim(change.key),
            (Kind::PersistentVolume, Verb::Added) => {
                let volume = self.store.objects().volumes.get(change.key);
                // One that was made for a claim is the claim's already.
                if volume.is_some_and(|volume| volume.phase == VolumePhase::Available) {
                    self.storage.free.push(change.key);
                    self.provide_all();
                }
            }
            (Kind::PersistentVolume, Verb::Deleted) => self.storage.free.retain(|free| *free != change.key),
            (Kind::StorageClass, Verb::Added) => self.provide_all(),
            (Kind::Node, Verb::Modified | Verb::Deleted) => self.look_at_stuck(change.key),
            _ => {}
        }
    }

    /// Both schedulers look again at whom that may help.
    fn volumes_are_new(&mut self) {
        self.kube_sees_volumes(true);
        self.retry_unschedulable();
    }

    fn provide_all(&mut self) {
        for claim in self.store.objects().keys_by_name(Kind::PersistentVolumeClaim) {
            self.provide(claim);
        }
        self.volumes_are_new();
    }

    /// The class of a claim, if it has one that is there.
    fn class_of(&self, claim: &PersistentVolumeClaim) -> Option<&StorageClass> {
        let classes = &self.store.objects().storage_classes;
        match &claim.spec.class {
            Some(name) => classes.get(classes.find(&"".into(), name)?),
            None => classes.iter().map(|(_, class)| class).find(|class| class.is_default),
        }
    }

    /// Gives a claim its volume, or has one made, if that need not wait for
    /// its pod.
    ///
    /// Upstream: `pkg/controller/volume/persistentvolume/pv_controller.go syncUnboundClaim`
    fn provide(&mut self, key: Key) {
        let Some(claim) = self.store.objects().claims.get(key) else { return };
        if claim.bound || claim.meta.is_deleting() || self.storage.provisioning.contains_key(&key) {
            return;
        }
        let class = self.class_of(claim);
        let waits = class.is_some_and(|class| class.binding == BindingMode::WaitForFirstConsumer);
        if waits && claim.spec.volume.is_none() {
            return;
        }
        if let Some(volume) = self.matching_volume(claim, None) {
            return self.bind_claim(key, volume);
        }
        if class.is_some_and(StorageClass::provisions) && claim.spec.volume.is_none() {
            self.provision(key, None);
        }
    }

    /// The smallest volume made by hand that fits a claim, on a node if one is
    /// given.
    ///
    /// Upstream: `staging/src/k8s.io/component-helpers/storage/volume/pv_helpers.go FindMatchingVolume`
    fn matching_volume(&self, claim: &PersistentVolumeClaim, node: Option<Key>) -> Option<Key> {
        let objects = self.store.objects();
        let node = node.and_then(|key| objects.nodes.get(key));
        let class = claim.spec.class.as_deref().or_else(|| self.class_of(claim).map(|class| &*class.meta.name));
        let fits = |(_, volume): &(Key, &PersistentVolume)| {
            let named = claim.spec.volume.as_ref().is_none_or(|name| *name == volume.meta.name);
            let reserved = volume.claim.as_ref().is_none_or(|held| {
                held.uid.is_none() && held.name == claim.meta.name && held.namespace == claim.meta.namespace
            });
            let reached =
                node.is_none_or(|node| volume.node_affinity.is_empty() || reaches(&volume.node_affinity, node));
            volume.phase == VolumePhase::Available
                && named
                && reserved
                && reached
                && class.unwrap_or_default() == &*volume.class
                && volume.modes.has(claim.spec.modes)
                && volume.storage_milli >= claim.spec.storage_milli
        };
        let free = self.storage.free.iter().filter_map(|&key| Some((key, objects.volumes.get(key)?)));
        let candidates = free.filter(fits);
        let best = candidates.min_by_key(|(_, v)| (v.claim.is_none(), v.storage_milli, v.meta.name.clone()));
        best.map(|(key, _)| key)
    }

    /// Binds a claim and a volume to each other.
    fn bind_claim(&mut self, claim: Key, volume: Key) {
        let objects = self.store.objects();
        let (Some(row), Some(of)) = (objects.claims.get(claim), objects.volumes.get(volume)) else { return };
        let (name, whose) = (
            of.meta.name.clone(),
            ClaimRef { namespace: row.meta.namespace.clone(), name: row.meta.name.clone(), uid: Some(claim.uid) },
        );
        let cause = self.recorder.latest_of(claim.uid);
        let _bound = self.recorded(volume, cause, |store| {
            store.update(volume, None, |row: &mut PersistentVolume| {
                row.claim = Some(whose);
                row.phase = VolumePhase::Bound;
            })
        });
        let _bound = self.recorded(claim, cause, |store| {
            store.update(claim, None, |row: &mut PersistentVolumeClaim| {
                row.spec.volume = Some(name);
                row.bound = true;
            })
        });
        self.storage.provisioning.remove(&claim);
        self.storage.free.retain(|free| *free != volume);
        self.storage.bound.insert(claim, volume);
        self.publish();
        self.keep_promises(claim);
        self.volumes_are_new();
    }

    fn delay_of(&self, purpose: &str, subject: &str, nth: u64) -> Option<Span> {
        let volumes = self.volumes()?;
        let delay = match purpose {
            "provision" => &volumes.provision,
            "attach" => &volumes.attach,
            _ => &volumes.detach,
        };
        delay.draw(&Draws::new(self.setup.seed), purpose, subject, nth)
    }

    /// A volume is made for a claim: on the node that was chosen for its pod,
    /// or wherever the provisioner likes.
    fn provision(&mut self, claim: Key, node: Option<Key>) {
        let Some(row) = self.store.objects().claims.get(claim) else { return };
        let subject = format!("{}/{}", row.meta.namespace, row.meta.name);
        self.storage.provisioning.insert(claim, node);
        if let Some(delay) = self.delay_of("provision", &subject, u64::from(claim.uid.0)) {
            let at = self.on_grid(delay);
            self.queue.push(at, Urgency::First, Event::Disk(DiskStep::Provisioned, PodRef::of(claim), 0));
        }
    }

    /// A volume that was made for a claim is there.
    fn provisioned(&mut self, claim: Key) {
        let Some(node) = self.storage.provisioning.remove(&claim) else { return };
        let objects = self.store.objects();
        let Some(row) = objects.claims.get(claim) else { return };
        let Some(class) = self.class_of(row) else { return };
        let zone = match node.and_then(|node| objects.nodes.get(node)) {
            Some(node) => node.meta.labels.get(ZONE).map(str::to_string),
            None => self.some_zone(&row.meta, class),
        };
        let shared = row.spec.modes.is_shared();
        let in_zone = |zone: String| {
            vec![NodeMatch { key: ZONE.to_string(), operator: Operator::In, values: vec![zone], field: false }]
        };
        let volume = PersistentVolume {
            meta: Meta::named("", &format!("pvc-{:08}", claim.uid.0)),
            class: class.meta.name.clone(),
            modes: row.spec.modes,
            storage_milli: row.spec.storage_milli,
            reclaim: class.reclaim,
            // What many nodes may write at a time is a file server and no disk.
            node_affinity: zone.filter(|_| !shared).map(in_zone).into_iter().collect(),
            attachable: !shared,
            claim: None,
            phase: VolumePhase::Available,
        };
        let cause = self.recorder.latest_of(claim.uid);
        if let Ok(volume) = self.store.create(volume) {
            self.register(volume, None, 0);
            self.created::<PersistentVolume>(volume, cause);
            self.bind_claim(claim, volume);
        }
    }

    /// The zone in which a provisioner makes a volume whose pod has no node:
    /// one of the cluster's, by the claim's name, so that the claims of a
    /// StatefulSet are spread.
    ///
    /// Upstream: `pkg/volume/util/util.go ChooseZonesForVolume` and
    /// kubernetes-csi/external-provisioner `pkg/controller/topology.go`
    fn some_zone(&self, claim: &Meta, class: &StorageClass) -> Option<String> {
        let nodes = self.store.objects().nodes.iter().map(|(_, node)| node);
        let allowed = nodes.filter(|node| class.topologies.is_empty() || reaches(&class.topologies, node));
        let mut zones: Vec<&str> = allowed.filter_map(|node| node.meta.labels.get(ZONE)).collect();
        zones.sort_unstable();
        zones.dedup();
        let (name, ordinal) = match claim.name.rsplit_once('-') {
            Some((name, digits)) => match digits.parse::<u32>() {
                Ok(ordinal) => (name, ordinal),
                Err(_) => (&*claim.name, 0),
            },
            None => (&*claim.name, 0),
        };
        let hash = name.bytes().fold(0x811c_9dc5_u32, |h, byte| (h ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let index = hash.wrapping_add(ordinal) as usize;
        zones.get(index.checked_rem(zones.len())?).map(ToString::to_string)
    }

    /// The nodes that a pod's claims allow, or why none will do.
    pub(super) fn reach_of(&self, pod: Key) -> Result<Reach, Lack> {
        let mut reach = Reach::default();
        if self.volumes().is_none() {
            return Ok(reach);
        }
        let Some((namespace, claims)) = self.storage.claims.get(&pod) else { return Ok(reach) };
        for of in claims.iter() {
            reach.restrict(self.ask_claim(pod, namespace, &of.claim)?);
        }
        Ok(reach)
    }

    /// Upstream: `pkg/scheduler/framework/plugins/volumebinding/volume_binding.go PreFilter`,
    /// `binder.go findMatchingVolumes, checkVolumeProvisions`
    fn ask_claim(&self, pod: Key, namespace: &Arc<str>, name: &Arc<str>) -> Result<ClaimReach, Lack> {
        let objects = self.store.objects();
        let found = objects.claims.find(namespace, name).and_then(|key| Some((key, objects.claims.get(key)?)));
        let (key, claim) = found.ok_or_else(|| Lack::NoClaim(name.clone()))?;
        if claim.meta.is_deleting() {
            return Err(Lack::ClaimGoes(name.clone()));
        }
        if claim.spec.modes.is_for_one_pod() && self.users(namespace, name).any(|user| user != pod) {
            return Err(Lack::InUse);
        }
        if claim.bound {
            let volume = claim.spec.volume.as_ref().and_then(|name| objects.volumes.find(&"".into(), name));
            let volume = volume.and_then(|volume| objects.volumes.get(volume)).ok_or(Lack::NoVolume)?;
            return Ok(ClaimReach::of(volume));
        }
        let class = self.class_of(claim).ok_or(Lack::Unbound)?;
        if class.binding == BindingMode::Immediate || self.storage.provisioning.contains_key(&key) {
            return Err(Lack::Unbound);
        }
        if class.provisions() {
            return Ok(ClaimReach { terms: class.topologies.clone(), ..ClaimReach::default() });
        }
        let by_hand = objects.nodes.iter().filter(|(node, _)| self.matching_volume(claim, Some(*node)).is_some());
        let names: Vec<String> = by_hand.map(|(_, node)| node.meta.name.to_string()).collect();
        if names.is_empty() {
            return Err(Lack::NothingToBind);
        }
        let key = "metadata.name".to_string();
        let terms = vec![vec![NodeMatch { key, operator: Operator::In, values: names, field: true }]];
        Ok(ClaimReach { terms, ..ClaimReach::default() })
    }

    /// The scheduler has chosen a node for a pod. Answers whether it may be
    /// bound now; if not, volumes are made first and room is kept for it.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumebinding/volume_binding.go Reserve, PreBind`
    pub(super) fn promise(&mut self, pod: Key, node: Key) -> bool {
        if self.volumes().is_none() {
            return true;
        }
        let Some((namespace, claims)) = self.storage.claims.get(&pod).cloned() else { return true };
        let mut pending = false;
        for of in claims.iter() {
            let objects = self.store.objects();
            let Some(key) = objects.claims.find(&namespace, &of.claim) else { continue };
            let Some(claim) = objects.claims.get(key).filter(|claim| !claim.bound) else { continue };
            match self.matching_volume(claim, Some(node)) {
                Some(volume) => self.bind_claim(key, volume),
                None => {
                    pending = true;
                    self.provision(key, Some(node));
                }
            }
        }
        if pending {
            self.storage.promised.insert(pod, node);
        }
        !pending
    }

    /// The node that was chosen for a pod that is not bound yet.
    pub(super) fn promised_node(&self, pod: Key) -> Option<Key> {
        self.storage.promised.get(&pod).copied()
    }

    /// A claim has its volume: pods that have all of theirs are bound.
    fn keep_promises(&mut self, claim: Key) {
        let objects = self.store.objects();
        let Some(meta) = objects.claims.get(claim).map(|claim| &claim.meta) else { return };
        let users = self.storage.pods.get(&(meta.namespace.clone(), meta.name.clone())).cloned().unwrap_or_default();
        for pod in users {
            let Some(node) = self.promised_node(pod) else { continue };
            let objects = self.store.objects();
            let all = self.storage.claims.get(&pod).is_some_and(|(namespace, claims)| {
                claims.iter().all(|of| {
                    let key = objects.claims.find(namespace, &of.claim);
                    key.and_then(|key| objects.claims.get(key)).is_some_and(|claim| claim.bound)
                })
            });
            if !all {
                continue;
            }
            self.storage.promised.remove(&pod);
            if objects.nodes.get(node).is_some() {
                self.bind_pod(PodRef::of(pod), node);
            } else {
                self.settle_room(PodRef::of(pod));
                self.schedule(PodRef::of(pod));
            }
        }
    }

    /// A pod has come.
    pub(super) fn storage_meets(&mut self, pod: Key) {
        if self.volumes().is_none() {
            return;
        }
        let Some(row) = self.store.objects().pods.get(pod).filter(|row| !row.claims.is_empty()) else { return };
        let (namespace, claims) = (row.meta.namespace.clone(), row.claims.clone());
        for of in claims.iter() {
            self.storage.pods.entry((namespace.clone(), of.claim.clone())).or_default().push(pod);
        }
        self.storage.claims.insert(pod, (namespace, claims));
    }

    /// A pod has ended or is gone: it uses its disks no more.
    ///
    /// Upstream: `pkg/controller/volume/attachdetach/util/util.go DetermineVolumeAction`
    pub(super) fn storage_loses(&mut self, pod: Key, gone: bool) {
        let Some((namespace, claims)) = self.storage.claims.get(&pod).cloned() else { return };
        self.storage.attaching.remove(&pod);
        for of in claims.iter() {
            if let Some(volume) = self.disk_of(&namespace, &of.claim)
                && let Some((node, ticket)) = self.storage.disks.leave(volume, pod)
            {
                self.unmount(volume, node, ticket);
            }
            if gone && let Some(users) = self.storage.pods.get_mut(&(namespace.clone(), of.claim.clone())) {
                users.retain(|user| *user != pod);
            }
        }
        if gone {
            self.storage.promised.remove(&pod);
            self.storage.claims.remove(&pod);
            for of in claims.iter() {
                if let Some(claim) = self.store.objects().claims.find(&namespace, &of.claim) {
                    self.let_claim_go(claim);
                }
            }
        }
    }

    /// The disk behind a claim, if it is one that must be attached.
    fn disk_of(&self, namespace: &Arc<str>, claim: &Arc<str>) -> Option<Key> {
        let objects = self.store.objects();
        let claim = objects.claims.get(objects.claims.find(namespace, claim)?)?;
        let key = objects.volumes.find(&"".into(), claim.spec.volume.as_ref()?)?;
        objects.volumes.get(key).filter(|volume| volume.attachable && !volume.modes.is_shared()).map(|_| key)
    }

    /// The pods that use a claim: those with a node.
    fn users<'a>(&'a self, namespace: &Arc<str>, claim: &Arc<str>) -> impl Iterator<Item = Key> + 'a {
        let pods = &self.store.objects().pods;
        let all = self.storage.pods.get(&(namespace.clone(), claim.clone())).into_iter().flatten();
        all.copied().filter(move |&pod| pods.get(pod).is_some_and(|row| row.node.is_some()))
    }

    /// A claim that is to be deleted goes when no pod with a node uses it.
    ///
    /// Upstream: `pkg/controller/volume/pvcprotection/pvc_protection_controller.go isBeingUsed`
    fn let_claim_go(&mut self, key: Key) {
        let Some(claim) = self.store.objects().claims.get(key).filter(|claim| claim.meta.is_deleting()) else { return };
        let (namespace, name) = (claim.meta.namespace.clone(), claim.meta.name.clone());
        if self.users(&namespace, &name).next().is_some() {
            return;
        }
        let cause = self.recorder.latest_of(key.uid);
        if self.store.remove_finalizer(key, None, Finalizers::CLAIM_IN_USE) == Ok(true) {
            self.recorder.note(cause, key.uid, What::Deleted);
        }
        self.publish();
    }

    /// A claim is gone: so is its volume, or it stays and nobody gets it.
    ///
    /// Upstream: `pkg/controller/volume/persistentvolume/pv_controller.go reclaimVolume`
    fn reclaim(&mut self, claim: Key) {
        self.storage.provisioning.remove(&claim);
        let Some(key) = self.storage.bound.remove(&claim) else { return };
        let Some(reclaim) = self.store.objects().volumes.get(key).map(|volume| volume.reclaim) else { return };
        let cause = self.recorder.latest_of(claim.uid);
        let _done = match reclaim {
            Reclaim::Delete => self.delete(key, crate::api::Propagation::Background, cause),
            Reclaim::Retain => self.recorded(key, cause, |store| {
                store.update(key, None, |row: &mut PersistentVolume| row.phase = VolumePhase::Released)
            }),
        };
        self.publish();
    }

    /// A pod was bound to a node: its disks are to come there. Answers
    /// whether all are there.
    pub(super) fn has_disks(&mut self, pod: Key, node: Key) -> bool {
        let Some((namespace, claims)) = self.storage.claims.get(&pod).cloned() else { return true };
        let mut missing = 0;
        for of in claims.iter() {
            let Some(volume) = self.disk_of(&namespace, &of.claim) else { continue };
            let wanted = self.storage.disks.want(volume, pod, node);
            missing += u32::from(wanted != Wanted::Ready);
            match wanted {
                Wanted::Comes(Some(ticket)) => self.attach(volume, ticket),
                Wanted::Taken { by, first: true } => self.refuse_attachment(pod, volume, by),
                _ => {}
            }
        }
        if missing == 0 {
            self.storage.attaching.remove(&pod);
            return true;
        }
        if self.storage.attaching.insert(pod, missing).is_none() {
            let cause = self.recorder.latest_of(pod.uid);
            self.recorder.note(cause, pod.uid, What::Attaching);
        }
        false
    }

    /// Says that a disk is where another pod has it.
    ///
    /// Upstream: `pkg/controller/volume/attachdetach/reconciler/reconciler.go reportMultiAttachError`
    fn refuse_attachment(&mut self, pod: Key, volume: Key, by: Key) {
        let name = |key: Key| self.store.objects().meta(key).map_or("", |meta| &*meta.name);
        let message = format!(
            "Multi-Attach error for volume {:?}: it is attached to node {} and can be attached to one node only",
            name(volume),
            name(by)
        );
        self.recorder.last = self.recorder.latest_of(pod.uid);
        self.announce(pod, &Notice::warning("FailedAttachVolume", message));
    }

    fn later_disk(&mut self, delay: Span, step: DiskStep, volume: Key, ticket: u16) {
        let at = self.on_grid(delay);
        self.queue.push(at, Urgency::First, Event::Disk(step, PodRef::of(volume), ticket));
    }

    fn volume_name(&self, volume: Key) -> String {
        self.store.objects().meta(volume).map_or_else(|| volume.uid.0.to_string(), |meta| meta.name.to_string())
    }

    fn attach(&mut self, volume: Key, ticket: u16) {
        if let Some(delay) = self.delay_of("attach", &self.volume_name(volume), u64::from(ticket)) {
            self.later_disk(delay, DiskStep::Attached, volume, ticket);
        }
    }

    /// The last pod has left a disk. Its node says so soon; one that is dead
    /// says nothing, and is believed to use the disk for six minutes more.
    ///
    /// Upstream: `pkg/controller/volume/attachdetach/reconciler/reconciler.go reconcile`
    fn unmount(&mut self, volume: Key, node: Key, ticket: u16) {
        if !self.dead.contains(&node) {
            return self.later_disk(UNMOUNT, DiskStep::Unmounted, volume, ticket);
        }
        self.storage.disks.stick(volume, node, ticket);
        self.later_disk(FORCE_DETACH_AFTER, DiskStep::Overdue, volume, ticket);
        self.look_at_stuck(node);
    }

    /// Looks again at the disks that a silent node keeps.
    pub(super) fn look_at_stuck(&mut self, node: Key) {
        for (volume, ticket) in self.storage.disks.stuck_on(node) {
            let row = self.store.objects().nodes.get(node);
            let given_up = row.is_some_and(|row| row.taints.iter().any(|taint| taint.key == OUT_OF_SERVICE));
            if given_up {
                self.detach(volume, ticket);
            } else if !self.dead.contains(&node) && row.is_some() {
                self.later_disk(UNMOUNT, DiskStep::Unmounted, volume, ticket);
            }
        }
    }

    /// Six minutes have passed since the last pod left a disk on a silent
    /// node. By then the node counts as unhealthy, or it has come back.
    fn overdue(&mut self, volume: Key, ticket: u16) {
        let silent = self.storage.disks.place_of(volume).is_some_and(|node| self.dead.contains(&node));
        if silent {
            self.detach(volume, ticket);
        }
    }

    fn detach(&mut self, volume: Key, ticket: u16) {
        let Some((_, ticket)) = self.storage.disks.unmounted(volume, ticket) else { return };
        if let Some(delay) = self.delay_of("detach", &self.volume_name(volume), u64::from(ticket)) {
            self.later_disk(delay, DiskStep::Detached, volume, ticket);
        }
    }

    /// A step of storage is due.
    pub(super) fn disk_step(&mut self, step: DiskStep, of: PodRef, ticket: u16) {
        let key = |kind| Key { kind, slot: of.slot, uid: crate::api::Uid(of.uid) };
        let volume = key(Kind::PersistentVolume);
        match step {
            DiskStep::Provisioned => self.provisioned(key(Kind::PersistentVolumeClaim)),
            DiskStep::Attached => self.disk_attached(volume, ticket),
            DiskStep::Unmounted => self.detach(volume, ticket),
            DiskStep::Overdue => self.overdue(volume, ticket),
            DiskStep::Detached => {
                let Some(next) = self.storage.disks.detached(volume, ticket) else { return };
                self.note_place(volume, None);
                if let Some((_, ticket)) = next {
                    self.attach(volume, ticket);
                }
            }
        }
    }

    fn disk_attached(&mut self, volume: Key, ticket: u16) {
        let Some((node, users, unused)) = self.storage.disks.attached(volume, ticket) else { return };
        self.note_place(volume, Some(node));
        if let Some(ticket) = unused {
            self.unmount(volume, node, ticket);
        }
        for pod in users {
            let waited = self.storage.attaching.contains_key(&pod);
            if waited && self.has_disks(pod, node) {
                let cause = self.recorder.latest_of(pod.uid);
                self.recorder.note(cause, pod.uid, What::Attached);
                self.take_in(PodRef::of(pod));
            }
        }
    }

    /// Records where a disk is.
    fn note_place(&mut self, volume: Key, node: Option<Key>) {
        let Some(row) = self.store.objects().volumes.get(volume) else { return };
        let cause = self.recorder.latest_of(row.meta.uid);
        let name = node.and_then(|node| self.store.objects().meta(node)).map(|meta| meta.name.clone());
        let value = name.map_or(Value::Absent, |name| Value::Text(self.recorder.intern(&name)));
        self.recorder.note(cause, volume.uid, What::Set { field: Field::AttachedTo, value });
    }
}

fn reaches(terms: &[Vec<NodeMatch>], node: &crate::api::Node) -> bool {
    NodeMatch::any_term(terms, &node.meta.labels, &node.meta.name)
}

/// Nothing is recorded of a claim that nobody provides for.
impl Recorded for PersistentVolumeClaim {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::Phase, |row| if row.bound { Raw::Text("Bound") } else { Raw::Absent });
        fields.spec(Field::VolumeName, |row| match &row.spec.volume {
            Some(volume) if row.bound => Raw::Text(volume),
            _ => Raw::Absent,
        });
    }
}

impl Recorded for PersistentVolume {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::Phase, |row| Raw::Text(row.phase.name()));
    }
}
