//! One sync of one StatefulSet.

use super::claims::{self, Place};
use super::revisions;
use super::rules::{self, Fate, Replica, Rollout};
use crate::api::{
    ControllerRevision, Finalizers, Gate, Key, Labels, Meta, OwnerRef, PersistentVolumeClaim, Phase, Pod, PodClaim,
    PodManagement, PodTemplate, StatefulSet, StatefulSetStatus, StatefulStrategy,
};
use crate::controllers::history::{self, REVISION_LABEL, Revision};
use crate::controllers::{NewPod, Notice, Plan, PodMark, PodName, Version, View, Write, pods};
use crate::time::Instant;
use crate::trace::Why;
use std::sync::Arc;

/// The label with the pod's own name.
const NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";

/// The label with the pod's ordinal.
const INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";

/// The most pods that a parallel StatefulSet handles side by side.
///
/// Upstream: `statefulset/stateful_set_control.go MaxBatchSize`
const MOST_AT_ONCE: usize = 500;

/// A revision's name and template.
#[derive(Clone, Debug)]
pub(super) struct Template {
    name: Arc<str>,
    template: Arc<PodTemplate>,
}

impl Template {
    pub(super) fn of(revision: &ControllerRevision) -> Template {
        Template { name: revision.meta.name.clone(), template: revision.data.clone() }
    }
}

/// A place for a pod.
struct Member<'a> {
    ordinal: i32,
    pod: Option<(Key, &'a Pod)>,
    replica: Replica,
}

/// What is to be written for one place, one after the other.
struct Steps {
    writes: Vec<Write>,
    why: Option<Why>,
    /// Whether an ordered StatefulSet goes no further.
    stop: bool,
    /// Whether the sync fails after these.
    fails: bool,
}

impl Steps {
    fn nothing() -> Steps {
        Steps { writes: Vec::new(), why: None, stop: false, fails: false }
    }

    fn wait(why: Why) -> Steps {
        Steps { writes: Vec::new(), why: Some(why), stop: true, fails: false }
    }

    /// The sync fails once these are written.
    fn fail(writes: Vec<Write>, why: Why) -> Steps {
        Steps { writes, why: Some(why), stop: true, fails: true }
    }
}

/// One sync of one StatefulSet: what it works with and what it has planned.
pub(super) struct Pass<'a, 'p> {
    key: Key,
    set: &'a StatefulSet,
    view: View<'a>,
    pods: &'p [(Key, &'a Pod)],
    history: Vec<Revision<'a>>,
    current: Template,
    update: Template,
    /// The places below the size, by ordinal.
    replicas: Vec<Member<'a>>,
    /// The pods beyond it, the highest ordinal first.
    condemned: Vec<Member<'a>>,
    /// Why the sync stops before its end.
    waits: Option<Why>,
    plan: &'p mut Plan,
}

impl<'a, 'p> Pass<'a, 'p> {
    pub(super) fn new(
        key: Key,
        set: &'a StatefulSet,
        view: View<'a>,
        pods: &'p [(Key, &'a Pod)],
        plan: &'p mut Plan,
    ) -> Pass<'a, 'p> {
        let history = history::list(view.cache, key, &set.meta.namespace, &set.spec.selector);
        let (current, update) = revisions(key, set, &history, plan);
        let mut pass = Pass {
            key,
            set,
            view,
            pods,
            history,
            current,
            update,
            replicas: Vec::new(),
            condemned: Vec::new(),
            waits: None,
            plan,
        };
        pass.sort_pods();
        pass
    }

    /// Plans the sync. Answers where in the plan status and history begin.
    ///
    /// Upstream: `statefulset/stateful_set_control.go UpdateStatefulSet`
    pub(super) fn run(&mut self) -> usize {
        let replaced = if self.set.meta.is_deleting() { 0 } else { self.manage() };
        let ending = self.plan.writes.len();
        self.write_status(replaced);
        self.truncate_history();
        if let Some(why) = self.waits {
            self.plan.because(why);
        }
        ending
    }

    /// Puts every pod into its place. Pods whose names have no ordinal were
    /// not claimed.
    fn sort_pods(&mut self) {
        let spec = &self.set.spec;
        self.replicas = (0..spec.replicas).map(|index| self.empty_place(spec.start.saturating_add(index))).collect();
        for &(key, pod) in self.pods {
            let Some((_, ordinal)) = rules::parent_and_ordinal(&pod.meta.name) else { continue };
            let member = Member { ordinal, pod: Some((key, pod)), replica: self.facts(pod) };
            let place = ordinal.checked_sub(spec.start).and_then(|index| usize::try_from(index).ok());
            match place.and_then(|index| self.replicas.get_mut(index)) {
                Some(place) => *place = member,
                None => self.condemned.push(member),
            }
        }
        self.condemned.sort_by_key(|member| std::cmp::Reverse(member.ordinal));
    }

    fn empty_place(&self, ordinal: i32) -> Member<'a> {
        let at_current = rules::begins_at_current(&self.set.spec, ordinal, self.set.status.current);
        let name = if at_current { &self.current.name } else { &self.update.name };
        let replica =
            Replica { updated: *name == self.update.name, current: *name == self.current.name, ..Replica::default() };
        Member { ordinal, pod: None, replica }
    }

    fn facts(&self, pod: &Pod) -> Replica {
        let revision = pod.meta.labels.get(REVISION_LABEL);
        let min_ready = self.set.spec.min_ready_seconds;
        Replica {
            created: true,
            finished: pod.is_finished(),
            terminating: pod.meta.is_deleting(),
            ready: pod.phase == Phase::Running && pod.ready,
            available: pods::is_available(pod.ready, pod.ready_since, min_ready, self.view.now),
            current: revision == Some(&*self.current.name),
            updated: revision == Some(&*self.update.name),
        }
    }

    /// Plans what is to be done with pods and claims. Answers how many pods
    /// are replaced because they are outdated.
    ///
    /// Upstream: `statefulset/stateful_set_control.go updateStatefulSet`
    fn manage(&mut self) -> i32 {
        let ordered = self.set.spec.pod_management == PodManagement::OrderedReady;
        let first_unavailable = self.first_unavailable();
        let mut all = Vec::with_capacity(self.replicas.len());
        for member in &self.replicas {
            let steps = self.replica_steps(member, ordered);
            let stop = steps.stop;
            all.push(steps);
            if ordered && stop {
                self.plan_steps(all, ordered);
                return 0;
            }
        }
        if self.plan_steps(all, ordered) {
            return 0;
        }
        let corrections: Vec<Write> =
            self.condemned.iter().flat_map(|member| self.corrections(member, false)).collect();
        for write in corrections {
            self.plan.write(write);
        }
        let mut all = Vec::with_capacity(self.condemned.len());
        for (index, member) in self.condemned.iter().enumerate() {
            let steps = self.condemned_steps(member, ordered, first_unavailable == Some(index));
            all.push(steps);
            if ordered {
                self.plan_steps(all, ordered);
                return 0;
            }
        }
        self.plan_steps(all, ordered);
        self.roll_out()
    }

    /// The first pod that is not available, if that is a condemned one.
    fn first_unavailable(&self) -> Option<usize> {
        if self.replicas.iter().any(|member| member.replica.is_unavailable()) {
            return None;
        }
        self.condemned.iter().rposition(|member| member.replica.is_unavailable())
    }

    /// Plans the steps of several places: in order, or side by side in
    /// batches of 1, 2, 4, …
    ///
    /// Upstream: `statefulset/stateful_set_control.go runForAll, slowStartBatch`
    /// Answers whether the sync fails after them; then nothing else is done.
    fn plan_steps(&mut self, all: Vec<Steps>, ordered: bool) -> bool {
        if ordered {
            for steps in all {
                self.explain(&steps);
                self.plan.fails |= steps.fails;
                for write in steps.writes {
                    self.plan.write(write);
                }
            }
            return self.plan.fails;
        }
        let (mut rest, mut size) = (all.into_iter(), 1);
        loop {
            let batch: Vec<Steps> = rest.by_ref().take(size).collect();
            if batch.is_empty() || self.plan.fails {
                return self.plan.fails;
            }
            self.plan.fails |= batch.iter().any(|steps| steps.fails);
            for steps in &batch {
                self.explain(steps);
            }
            let mut chains: Vec<_> = batch.into_iter().map(|steps| steps.writes.into_iter()).collect();
            loop {
                let next: Vec<Write> = chains.iter_mut().filter_map(Iterator::next).collect();
                if next.is_empty() {
                    break;
                }
                self.plan.batch(next);
            }
            size = (size * 2).min(MOST_AT_ONCE);
        }
    }

    /// Notes why writes follow, or keeps why none does for the end.
    fn explain(&mut self, steps: &Steps) {
        match steps.why {
            Some(why) if !steps.writes.is_empty() && !matches!(why, Why::WaitsForPod { .. }) => self.plan.because(why),
            Some(why) if steps.stop => self.waits = self.waits.or(Some(why)),
            _ => {}
        }
    }

    /// What a place below the size needs.
    ///
    /// Upstream: `statefulset/stateful_set_control.go processReplica`
    fn replica_steps(&self, member: &Member<'a>, ordered: bool) -> Steps {
        let ordinal = member.ordinal;
        let Some((key, pod)) = member.pod else { return self.creation(member, ordered) };
        if member.replica.finished {
            let delete = Write::DeletePod { pod: key, owner: self.key };
            let writes = if member.replica.terminating { Vec::new() } else { vec![delete] };
            return Steps { writes, why: Some(Why::FinishedPod { ordinal }), stop: true, fails: false };
        }
        let mut writes = Vec::new();
        if pod.phase == Phase::Pending {
            writes.extend(self.missing_claims(member));
            if self.claims_that_go(ordinal).is_some() {
                return Steps::fail(writes, Why::WaitsForClaim { ordinal });
            }
            writes.extend(self.corrections(member, true));
        }
        if ordered && !member.replica.lets_next_pass() {
            return Steps { writes, ..Steps::wait(Why::WaitsForPod { ordinal }) };
        }
        if !self.has_its_claims(pod, ordinal) {
            return self.refused_volumes(member, writes);
        }
        let relabeled = labels_with_identity(&pod.meta.labels, &pod.meta.name, ordinal);
        let corrections = if writes.is_empty() { self.corrections(member, false) } else { Vec::new() };
        if relabeled.is_some() || !corrections.is_empty() {
            let labels = relabeled.map_or_else(|| pod.meta.labels.clone(), Arc::new);
            writes.extend(corrections);
            writes.push(Write::RelabelPod { pod: key, owner: self.key, labels });
        }
        Steps { writes, ..Steps::nothing() }
    }

    /// A new pod for an empty place, after its claims.
    ///
    /// Upstream: `statefulset/stateful_pod_control.go CreateStatefulPod`
    fn creation(&self, member: &Member<'a>, ordered: bool) -> Steps {
        let ordinal = member.ordinal;
        let place = self.place(member);
        let stale = |owners: &[OwnerRef]| claims::is_stale(owners, &place);
        if self.claims_of(ordinal).any(|(_, claim)| claim.is_some_and(|claim| stale(&claim.meta.owners))) {
            return Steps::wait(Why::WaitsForClaim { ordinal });
        }
        if let Some(trouble) = self.claims_that_go(ordinal) {
            let mut writes = self.missing_claims(member);
            writes.push(self.failure("Create", ordinal, &trouble));
            return Steps::fail(writes, Why::WaitsForClaim { ordinal });
        }
        let revision = if member.replica.updated { &self.update } else { &self.current };
        let name: Arc<str> = format!("{}-{ordinal}", self.set.meta.name).into();
        let template = &revision.template;
        let labels = template
            .labels
            .with(NAME_LABEL, &name)
            .with(INDEX_LABEL, &ordinal.to_string())
            .with(REVISION_LABEL, &revision.name);
        let mut writes = self.missing_claims(member);
        writes.push(Write::CreatePod(Arc::new(NewPod {
            finalizers: Finalizers::NONE,
            index: None,
            owner: OwnerRef { key: self.key, controller: true, blocks_deletion: true },
            namespace: self.set.meta.namespace.clone(),
            name: PodName::Exact(name),
            mark: PodMark::Number(ordinal as u32),
            labels: Arc::new(labels),
            template: template.clone(),
            revision: Some(revision.name.clone()),
            claims: Some(self.volumes_of(template, ordinal)),
            pinned: None,
        })));
        writes.extend(self.corrections(member, true));
        Steps { writes, why: Some(Why::MissingPod { ordinal }), stop: ordered, fails: false }
    }

    fn place(&self, member: &Member<'a>) -> Place {
        let spec = &self.set.spec;
        let end = i64::from(spec.start) + i64::from(spec.replicas);
        Place {
            set: self.key,
            pod: member.pod.map(|(key, _)| key),
            condemned: member.ordinal < spec.start || i64::from(member.ordinal) >= end,
            retention: spec.retention,
        }
    }

    /// What becomes of the template's claims and the StatefulSet's own in a
    /// pod: its own replace volumes of the same name.
    ///
    /// Upstream: `statefulset/stateful_set_utils.go updateStorage`
    fn volumes_of(&self, template: &PodTemplate, ordinal: i32) -> Arc<[PodClaim]> {
        let own = self.set.spec.claims.iter().zip(self.claims_of(ordinal));
        let own = own.map(|(template, (claim, _))| PodClaim { volume: template.name.clone(), claim });
        let is_own = |of: &&PodClaim| self.set.spec.claims.iter().any(|template| template.name == of.volume);
        own.chain(template.claims.iter().filter(|of| !is_own(of)).cloned()).collect()
    }

    /// Whether a pod has the claims that the StatefulSet makes for it. Only
    /// pods that it adopted may lack them.
    ///
    /// Upstream: `statefulset/stateful_set_utils.go storageMatches`
    fn has_its_claims(&self, pod: &Pod, ordinal: i32) -> bool {
        let mut wanted = self.set.spec.claims.iter().zip(self.claims_of(ordinal));
        wanted.all(|(template, (name, _))| pod.claims.iter().any(|of| of.volume == template.name && of.claim == name))
    }

    /// A pod without its claims cannot be given them: the API server refuses
    /// to change a pod's volumes, again and again.
    ///
    /// Upstream: `statefulset/stateful_pod_control.go UpdateStatefulPod`
    fn refused_volumes(&self, member: &Member<'a>, mut writes: Vec<Write>) -> Steps {
        let ordinal = member.ordinal;
        if writes.is_empty() {
            writes = self.missing_claims(member);
        }
        let trouble = self.claims_that_go(ordinal).unwrap_or_else(|| {
            let name = format!("{}-{ordinal}", self.set.meta.name);
            format!(
                "Pod {name:?} is invalid: spec: Forbidden: pod updates may not change fields such as `spec.volumes`"
            )
        });
        writes.push(self.failure("Update", ordinal, &trouble));
        Steps::fail(writes, Why::WaitsForPod { ordinal })
    }

    /// What is said of claims of a place that are being deleted, if any are.
    ///
    /// Upstream: `statefulset/stateful_pod_control.go createPersistentVolumeClaims`
    fn claims_that_go(&self, ordinal: i32) -> Option<String> {
        let going = self.claims_of(ordinal).filter(|(_, claim)| claim.is_some_and(|claim| claim.meta.is_deleting()));
        let said: Vec<String> = going.map(|(name, _)| format!("pvc {name} is being deleted")).collect();
        match &said[..] {
            [] => None,
            [one] => Some(one.clone()),
            all => Some(format!("[{}]", all.join(", "))),
        }
    }

    /// The Event by which a StatefulSet says what it could not do to a pod.
    ///
    /// Upstream: `statefulset/stateful_pod_control.go recordPodEvent`
    fn failure(&self, verb: &str, ordinal: i32, trouble: &str) -> Write {
        let set = &self.set.meta.name;
        let message = format!("{verb} Pod {set}-{ordinal} in StatefulSet {set} failed error: {trouble}");
        Write::Announce { about: self.key, notice: Notice::warning(format!("Failed{verb}"), message) }
    }

    /// The names of a pod's claims, and the claims that are there.
    ///
    /// Upstream: `statefulset/stateful_set_utils.go getPersistentVolumeClaimName`
    fn claims_of(&self, ordinal: i32) -> impl Iterator<Item = (Arc<str>, Option<&'a PersistentVolumeClaim>)> {
        let (set, cache) = (self.set, self.view.cache);
        set.spec.claims.iter().map(move |template| {
            let name: Arc<str> = format!("{}-{}-{ordinal}", template.name, set.meta.name).into();
            let found = cache.claims.find(&set.meta.namespace, &name).and_then(|key| cache.claims.get(key));
            (name, found)
        })
    }

    /// Upstream: `statefulset/stateful_pod_control.go createPersistentVolumeClaims`
    fn missing_claims(&self, member: &Member<'a>) -> Vec<Write> {
        let set = self.set;
        let pod: Arc<str> = format!("{}-{}", set.meta.name, member.ordinal).into();
        let missing = self.claims_of(member.ordinal).zip(&*set.spec.claims).filter(|((_, found), _)| found.is_none());
        missing
            .map(|((name, _), template)| {
                let mut labels = template.labels.clone();
                labels.0.extend(set.spec.selector.match_labels.0.clone());
                let meta = Meta {
                    labels: Arc::new(labels),
                    annotations: template.annotations.clone(),
                    ..Meta::named(&set.meta.namespace, &name)
                };
                let claim = Box::new(PersistentVolumeClaim { meta, spec: template.spec.clone(), bound: false });
                Write::CreateClaim { claim, set: self.key, pod: pod.clone() }
            })
            .collect()
    }

    /// Gives a pod's claims the owners that they should have; those that are
    /// missing only if they are made in the same sync.
    ///
    /// Upstream: `statefulset/stateful_pod_control.go UpdatePodClaimForRetentionPolicy`
    fn corrections(&self, member: &Member<'a>, made: bool) -> Vec<Write> {
        let place = self.place(member);
        let wrong = self.claims_of(member.ordinal).filter_map(|(name, claim)| {
            let owners = match claim {
                Some(claim) => &claim.meta.owners[..],
                None if made => &[],
                None => return None,
            };
            let owners = claims::corrected_owners(owners, &place)?;
            Some(Write::OwnClaim { set: self.key, namespace: self.set.meta.namespace.clone(), name, owners })
        });
        wrong.collect()
    }

    fn condemned_steps(&self, member: &Member<'a>, ordered: bool, is_first_unavailable: bool) -> Steps {
        let ordinal = member.ordinal;
        let fate = if ordered {
            rules::fate_in_order(&member.replica, is_first_unavailable)
        } else {
            rules::fate_in_parallel(&member.replica)
        };
        match (fate, member.pod) {
            (Fate::Delete, Some((pod, _))) => Steps {
                writes: vec![Write::DeletePod { pod, owner: self.key }],
                why: Some(Why::CondemnedPod { ordinal }),
                stop: true,
                fails: false,
            },
            _ => Steps::wait(Why::WaitsForPod { ordinal }),
        }
    }

    /// Plans the replacement of outdated pods and answers how many there are.
    fn roll_out(&mut self) -> i32 {
        let spec = &self.set.spec;
        let StatefulStrategy::RollingUpdate(rolling) = spec.strategy else { return 0 };
        let replicas: Vec<Replica> = self.replicas.iter().map(|member| member.replica).collect();
        let partition = spec.partition().unwrap_or(0);
        let outdated = if self.view.gates.has(Gate::MaxUnavailableStatefulSet) {
            let most = rules::max_unavailable(rolling, spec.replicas);
            rules::all_to_update(&replicas, partition, most)
        } else {
            match rules::next_to_update(&replicas, partition) {
                Rollout::Replace(index) => vec![index],
                Rollout::Wait(index) => {
                    self.waits = Some(Why::RolloutWaitsForPod { ordinal: self.replicas[index].ordinal });
                    Vec::new()
                }
                Rollout::Done => Vec::new(),
            }
        };
        for &index in &outdated {
            let member = &self.replicas[index];
            let ordinal = member.ordinal;
            let delete = match member.pod {
                Some((pod, _)) => Write::DeletePod { pod, owner: self.key },
                // This very sync made it, and of the old revision.
                None => Write::DeleteNewPod {
                    namespace: self.set.meta.namespace.clone(),
                    name: format!("{}-{ordinal}", self.set.meta.name).into(),
                    owner: self.key,
                },
            };
            self.plan.because(Why::OutdatedPod { ordinal });
            self.plan.write(delete);
        }
        outdated.len() as i32
    }

    /// Plans the status, if anything in it changed.
    ///
    /// Upstream: `statefulset/stateful_set_control.go updateStatefulSetStatus`
    fn write_status(&mut self, replaced: i32) {
        let mut counts = rules::count(self.replicas.iter().chain(&self.condemned).map(|member| &member.replica));
        counts.current -= replaced;
        let mut status = StatefulSetStatus {
            observed_generation: self.set.meta.generation,
            replicas: counts.replicas,
            ready: counts.ready,
            available: counts.available,
            current: counts.current,
            updated: counts.updated,
            current_revision: self.current.name.clone(),
            update_revision: self.update.name.clone(),
            collision_count: self.set.status.collision_count,
        };
        if rules::is_complete(&self.set.spec, &counts) {
            status.current = status.updated;
            status.current_revision = status.update_revision.clone();
        }
        if status.ready != status.available {
            self.plan.look_again_at(self.next_availability());
        }
        if status != self.set.status {
            self.plan.write(Write::StatefulSetStatus {
                set: self.key,
                version: Version::Cached(self.set.meta.resource_version),
                status: Box::new(status),
            });
        }
    }

    /// When the next ready pod becomes available.
    ///
    /// Upstream: `statefulset/stateful_set.go syncStatefulSet`
    fn next_availability(&self) -> Instant {
        let seconds = self.set.spec.min_ready_seconds;
        let ready = self.pods.iter().filter(|(_, pod)| pod.ready);
        let times = ready.map(|(_, pod)| pods::available_at(pod.ready_since, seconds));
        let next = times.filter(|&at| at > self.view.now).min();
        next.unwrap_or_else(|| self.view.now.plus_seconds(i64::from(seconds)))
    }

    /// Plans the deletion of revisions that nobody needs any more.
    fn truncate_history(&mut self) {
        let named = |name: &Arc<str>| {
            *name == self.current.name
                || *name == self.update.name
                || self.pods.iter().any(|(_, pod)| pod.meta.labels.get(REVISION_LABEL) == Some(&**name))
        };
        let limit = self.set.spec.revision_history_limit;
        for (revision, _) in history::excess(&self.history, limit, |row| named(&row.meta.name)) {
            self.plan.because(Why::HistoryLimit { limit });
            self.plan.write(Write::DeleteRevision(revision));
        }
    }
}

/// The labels with the pod's name and ordinal, if they are wrong as they
/// are.
///
/// Upstream: `statefulset/stateful_set_utils.go identityMatches, updateIdentity`
fn labels_with_identity(labels: &Labels, name: &str, ordinal: i32) -> Option<Labels> {
    if labels.get(NAME_LABEL) == Some(name) {
        return None;
    }
    Some(labels.with(NAME_LABEL, name).with(INDEX_LABEL, &ordinal.to_string()))
}
