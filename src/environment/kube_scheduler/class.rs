//! Pods that are alike to the scheduler: same namespace, labels, template and
//! default selector. What one of them asks and what it means to others is
//! found out once for all.

use super::nodes::Nodes;
use super::tallies::{Counted, Eligible, HolderKind, Scope, Tallies, TallyId};
use crate::api::{Labels, Pod, PodTemplate, PodTerm, Selector, SpreadConstraint, Text, Uid, merged};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Which class.
pub(super) type ClassId = u32;

/// The label by which hosts are told apart.
pub(super) const HOSTNAME: &str = "kubernetes.io/hostname";

/// Unless a pod says otherwise it is spread a little over hosts and zones.
///
/// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/plugin.go systemDefaultConstraints`
const DEFAULT_SPREAD: [(&str, i32); 2] = [(HOSTNAME, 3), ("topology.kubernetes.io/zone", 5)];

/// A spread constraint with the selector that holds for these pods.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Spread {
    pub(super) constraint: SpreadConstraint,
    pub(super) scope: Scope,
    /// Whether the pod itself is selected.
    pub(super) selects_itself: bool,
}

/// A pod affinity term with the selector that holds for these pods.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Term {
    pub(super) scope: Scope,
    pub(super) key: String,
}

/// A class of pods.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) namespace: Arc<str>,
    pub(super) labels: Arc<Labels>,
    pub(super) template: Arc<PodTemplate>,
    /// Whether its spread constraints are the default ones.
    spread_by_default: bool,
    pub(super) spread: Vec<Spread>,
    pub(super) near: Vec<Term>,
    pub(super) away: Vec<Term>,
    pub(super) wishes: Vec<(i32, Term)>,
    /// How many of its pods are on each node: all, and those whose deletion
    /// has not been asked for.
    on: FxHashMap<u32, (i32, i32)>,
    gives: Vec<Give>,
    /// How many pods there are of it, bound or not.
    pub(super) members: u32,
    key: ClassKey,
}

/// What a pod of a class adds to a tally.
#[derive(Clone, Copy, Debug)]
pub(super) struct Give {
    pub(super) tally: TallyId,
    pub(super) weight: i32,
    /// Only until its deletion is asked for.
    pub(super) live_only: bool,
}

/// By which classes are found: the addresses of what its pods share, which
/// the class keeps from being used for anything else.
type ClassKey = (usize, usize, Option<Uid>, Arc<str>);

/// All classes.
#[derive(Clone, Debug, Default)]
pub(super) struct Classes {
    classes: Vec<Option<Class>>,
    free: Vec<ClassId>,
    by_key: FxHashMap<ClassKey, ClassId>,
    by_label: FxHashMap<(Text, Text), Vec<ClassId>>,
}

impl Classes {
    /// A class.
    pub(super) fn get(&self, id: ClassId) -> &Class {
        self.classes[id as usize].as_ref().expect("classes that have members are kept")
    }

    fn get_mut(&mut self, id: ClassId) -> &mut Class {
        self.classes[id as usize].as_mut().expect("classes that have members are kept")
    }

    /// The class of a pod, which becomes one of its members; whether the
    /// class is new. `selector` is what the pod's owner selects its pods by.
    pub(super) fn join(&mut self, pod: &Pod, selector: impl FnOnce() -> Option<Selector>) -> (ClassId, bool) {
        let owner = pod.meta.controller().map(|owner| owner.uid);
        let addresses = (Arc::as_ptr(&pod.meta.labels) as usize, Arc::as_ptr(&pod.template) as usize);
        let key = (addresses.0, addresses.1, owner, pod.meta.namespace.clone());
        if let Some(&id) = self.by_key.get(&key) {
            self.get_mut(id).members += 1;
            return (id, false);
        }
        let class = Class::new(pod, selector(), key.clone());
        let id = self.free.pop().unwrap_or(self.classes.len() as ClassId);
        if id as usize == self.classes.len() {
            self.classes.push(None);
        }
        for (name, value) in &class.labels.0 {
            self.by_label.entry((name.clone(), value.clone())).or_default().push(id);
        }
        self.by_key.insert(key, id);
        self.classes[id as usize] = Some(class);
        (id, true)
    }

    /// One member less; whether it was the last, and the class is gone.
    pub(super) fn leave(&mut self, id: ClassId) -> bool {
        let class = self.get_mut(id);
        class.members -= 1;
        if class.members > 0 {
            return false;
        }
        let Some(class) = self.classes[id as usize].take() else { return false };
        for (name, value) in &class.labels.0 {
            let label = (name.clone(), value.clone());
            if let Some(ids) = self.by_label.get_mut(&label) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.by_label.remove(&label);
                }
            }
        }
        self.by_key.remove(&class.key);
        self.free.push(id);
        true
    }

    /// The classes that a tally of pods counts.
    fn counted_by(&self, scopes: &[Scope]) -> Vec<ClassId> {
        let Some(selector) = scopes.first().and_then(|scope| scope.selector.as_ref()) else { return Vec::new() };
        let rarest = selector
            .match_labels
            .0
            .iter()
            .map(|(k, v)| self.by_label.get(&(k.clone(), v.clone())).map_or(&[][..], Vec::as_slice))
            .min_by_key(|ids| ids.len());
        let covered = |id: &ClassId| {
            self.classes[*id as usize]
                .as_ref()
                .is_some_and(|class| scopes.iter().all(|scope| scope.covers(&class.namespace, &class.labels)))
        };
        match rarest {
            Some(ids) => ids.iter().copied().filter(covered).collect(),
            None => (0..self.classes.len() as ClassId).filter(covered).collect(),
        }
    }

    /// Counts into a new tally the pods that are there already.
    pub(super) fn fill(&mut self, id: TallyId, live_only: bool, tallies: &mut Tallies) {
        let Counted::Pods(scopes) = &tallies.get(id).counted else { return };
        let scopes = scopes.clone();
        for class in self.counted_by(&scopes) {
            self.give(class, Give { tally: id, weight: 1, live_only }, tallies);
        }
    }

    /// From now on the class adds to a tally, and its pods that are there
    /// already do at once.
    pub(super) fn give(&mut self, id: ClassId, give: Give, tallies: &mut Tallies) {
        let class = self.get_mut(id);
        for (&slot, &(all, live)) in &class.on {
            tallies.add(give.tally, slot, give.weight * if give.live_only { live } else { all });
        }
        class.gives.push(give);
    }

    /// A tally is gone.
    pub(super) fn forget(&mut self, scopes: &[Scope], tally: TallyId) {
        for class in self.counted_by(scopes) {
            self.get_mut(class).gives.retain(|give| give.tally != tally);
        }
    }

    /// A pod comes to a node or leaves it.
    pub(super) fn settle(&mut self, id: ClassId, slot: u32, by: i32, live: bool, tallies: &mut Tallies) {
        let class = self.get_mut(id);
        let on = class.on.entry(slot).or_default();
        on.0 += by;
        on.1 += by * i32::from(live);
        if *on == (0, 0) {
            class.on.remove(&slot);
        }
        for give in class.gives.iter().filter(|give| live || !give.live_only) {
            tallies.add(give.tally, slot, by * give.weight);
        }
    }

    /// The deletion of a pod on a node was asked for.
    pub(super) fn condemn(&mut self, id: ClassId, slot: u32, tallies: &mut Tallies) {
        let class = self.get_mut(id);
        class.on.entry(slot).or_default().1 -= 1;
        for give in class.gives.iter().filter(|give| give.live_only) {
            tallies.add(give.tally, slot, -give.weight);
        }
    }
}

impl Class {
    fn new(pod: &Pod, selector: Option<Selector>, key: ClassKey) -> Class {
        let placement = &pod.template.placement;
        let (namespace, labels) = (&pod.meta.namespace, &pod.meta.labels);
        let term = |t: &PodTerm| Term { scope: scope_of(t, namespace, labels), key: t.topology_key.clone() };
        let spread_by_default = placement.spread.is_empty();
        let constraints = if spread_by_default { default_spread(selector) } else { placement.spread.clone() };
        let spread = constraints.into_iter().map(|constraint| {
            let selector = merged(constraint.selector.as_ref(), labels, &constraint.match_label_keys, &[]);
            let scope = Scope { selector, namespaces: vec![namespace.clone()], by_labels: None };
            let selects_itself = scope.covers(namespace, labels);
            Spread { constraint, scope, selects_itself }
        });
        Class {
            namespace: namespace.clone(),
            labels: labels.clone(),
            template: pod.template.clone(),
            spread_by_default,
            spread: spread.collect(),
            near: placement.pods.near.iter().map(term).collect(),
            away: placement.pods.away.iter().map(term).collect(),
            wishes: placement.pods.wishes.iter().map(|(weight, t)| (*weight, term(t))).collect(),
            on: FxHashMap::default(),
            gives: Vec::new(),
            members: 1,
            key,
        }
    }

    /// How much a pod of this class adds to a tally.
    pub(super) fn gives_to(&self, tally: TallyId, live: bool) -> i32 {
        let to = self.gives.iter().filter(|give| give.tally == tally && (live || !give.live_only));
        to.map(|give| give.weight).sum()
    }

    /// Which nodes count for one of its spread constraints.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/common.go matchNodeInclusionPolicies`
    pub(super) fn eligible(&self, spread: &SpreadConstraint) -> Eligible {
        let same = self.spread.iter().filter(|other| other.constraint.required == spread.required);
        let keys =
            if self.spread_by_default { Vec::new() } else { same.map(|s| s.constraint.topology_key.clone()).collect() };
        let template = &self.template;
        let restricted = !template.node_selector.0.is_empty() || !template.node_affinity.is_empty();
        Eligible {
            keys,
            affinity: (spread.honors_affinity && restricted)
                .then(|| (template.node_selector.clone(), template.node_affinity.clone())),
            tolerations: spread.honors_taints.then(|| template.tolerations.clone()),
            live_only: true,
        }
    }

    /// Whether a node that lacks the label of one wish to be spread is left
    /// out altogether.
    pub(super) const fn wants_all_labels(&self) -> bool {
        !self.spread_by_default
    }
}

fn default_spread(selector: Option<Selector>) -> Vec<SpreadConstraint> {
    let Some(selector) = selector.filter(|selector| !selector.is_empty()) else { return Vec::new() };
    let constraint = |(key, max_skew): (&str, i32)| SpreadConstraint {
        max_skew,
        topology_key: key.to_string(),
        required: false,
        selector: Some(selector.clone()),
        min_domains: 1,
        honors_affinity: true,
        honors_taints: false,
        match_label_keys: Vec::new(),
    };
    DEFAULT_SPREAD.into_iter().map(constraint).collect()
}

/// Upstream: `staging/src/k8s.io/kube-scheduler/framework/types.go newAffinityTerm`
fn scope_of(term: &PodTerm, namespace: &Arc<str>, labels: &Labels) -> Scope {
    let own = term.namespaces.is_empty() && term.namespace_selector.is_none();
    Scope {
        selector: merged(term.selector.as_ref(), labels, &term.match_label_keys, &term.mismatch_label_keys),
        namespaces: if own {
            vec![namespace.clone()]
        } else {
            term.namespaces.iter().map(|name| name.as_str().into()).collect()
        },
        by_labels: term.namespace_selector.clone(),
    }
}

/// What the placing of a class of pods depends on.
#[derive(Clone, Debug, Default)]
pub(super) struct Asks {
    /// Spread constraints that must hold.
    pub(super) hard: Vec<AskSpread>,
    /// Spread constraints that are wishes.
    pub(super) soft: Vec<AskSpread>,
    /// Whether nodes that lack a label of these wishes score nothing.
    pub(super) wants_all_labels: bool,
    /// Pods that must be in the same domain.
    pub(super) near: Vec<TallyId>,
    /// Whether the pod is one that it wants to be near to.
    pub(super) near_itself: bool,
    /// Pods that must not be in the same domain.
    pub(super) away: Vec<TallyId>,
    /// Pods that keep this one away from their domain.
    pub(super) keeping_away: Vec<TallyId>,
    /// Its own wishes with their weights.
    pub(super) wishes: Vec<(TallyId, i64)>,
    /// Wishes of pods that are there, which weigh what they count.
    pub(super) wished: Vec<TallyId>,
    /// How many sorts of terms of other pods have been looked at.
    terms_seen: usize,
}

/// A spread constraint and its tally.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskSpread {
    pub(super) tally: TallyId,
    pub(super) max_skew: i32,
    pub(super) min_domains: i32,
    pub(super) own: i32,
    pub(super) by_host: bool,
}

impl Asks {
    /// Opens the tallies that a class depends on.
    pub(super) fn new(id: ClassId, classes: &mut Classes, tallies: &mut Tallies, nodes: &Nodes) -> Asks {
        let class = classes.get(id).clone_terms();
        let mut asks = Asks { wants_all_labels: classes.get(id).wants_all_labels(), ..Asks::default() };
        for (spread, eligible) in &class.spread {
            let c = &spread.constraint;
            // An empty selector counts nothing, although it selects the pod.
            let empty = spread.scope.selector.as_ref().is_some_and(Selector::is_empty);
            let scope = if empty { Scope { selector: None, ..spread.scope.clone() } } else { spread.scope.clone() };
            let open = Opening { counted: Counted::Pods(vec![scope]), key: &c.topology_key };
            let tally = open.open(eligible.clone(), c.required, classes, tallies, nodes);
            let ask = AskSpread {
                tally,
                max_skew: c.max_skew,
                min_domains: c.min_domains,
                own: i32::from(spread.selects_itself),
                by_host: c.topology_key == HOSTNAME,
            };
            if c.required { asks.hard.push(ask) } else { asks.soft.push(ask) }
        }
        let mut open = |scopes: Vec<Scope>, key: &str| {
            let open = Opening { counted: Counted::Pods(scopes), key };
            open.open(Eligible::default(), false, classes, tallies, nodes)
        };
        let all: Vec<Scope> = class.near.iter().map(|term| term.scope.clone()).collect();
        asks.near = class.near.iter().map(|term| open(all.clone(), &term.key)).collect();
        asks.away = class.away.iter().map(|term| open(vec![term.scope.clone()], &term.key)).collect();
        asks.wishes =
            class.wishes.iter().map(|(w, term)| (open(vec![term.scope.clone()], &term.key), i64::from(*w))).collect();
        asks.near_itself =
            !class.near.is_empty() && all.iter().all(|scope| scope.covers(&class.namespace, &class.labels));
        asks
    }

    /// Looks at the terms that pods have brought since the last time.
    pub(super) fn refresh(&mut self, class: &Class, tallies: &Tallies) {
        if self.terms_seen == tallies.terms() {
            return;
        }
        let (terms, are_all) = tallies.terms_about(&class.labels, self.terms_seen);
        if are_all {
            self.keeping_away.clear();
            self.wished.clear();
        }
        for id in terms {
            let Counted::Holders(kind, scope) = &tallies.get(id).counted else { continue };
            if scope.covers(&class.namespace, &class.labels) {
                match kind {
                    HolderKind::KeepsAway => self.keeping_away.push(id),
                    HolderKind::Wishes => self.wished.push(id),
                }
            }
        }
        self.terms_seen = tallies.terms();
    }

    /// The tallies of what other pods have brought.
    pub(super) fn of_others(&self) -> impl Iterator<Item = TallyId> {
        self.keeping_away.iter().chain(&self.wished).copied()
    }

    /// The tallies that were opened for it.
    pub(super) fn opened(&self) -> impl Iterator<Item = TallyId> {
        let spread = self.hard.iter().chain(&self.soft).map(|ask| ask.tally);
        let wishes = self.wishes.iter().map(|(tally, _)| *tally);
        spread.chain(self.near.iter().copied()).chain(self.away.iter().copied()).chain(wishes)
    }
}

/// A tally of pods that is about to be opened.
struct Opening<'a> {
    counted: Counted,
    key: &'a str,
}

impl Opening<'_> {
    fn open(
        self,
        eligible: Eligible,
        wants_least: bool,
        classes: &mut Classes,
        tallies: &mut Tallies,
        nodes: &Nodes,
    ) -> TallyId {
        let live_only = eligible.live_only;
        let (id, is_new) = tallies.open(self.counted, self.key, eligible, wants_least, nodes);
        if is_new {
            classes.fill(id, live_only, tallies);
        }
        id
    }
}

/// The terms of a class, apart from it.
struct Terms {
    namespace: Arc<str>,
    labels: Arc<Labels>,
    spread: Vec<(Spread, Eligible)>,
    near: Vec<Term>,
    away: Vec<Term>,
    wishes: Vec<(i32, Term)>,
}

impl Class {
    fn clone_terms(&self) -> Terms {
        Terms {
            namespace: self.namespace.clone(),
            labels: self.labels.clone(),
            spread: self.spread.iter().map(|s| (s.clone(), self.eligible(&s.constraint))).collect(),
            near: self.near.clone(),
            away: self.away.clone(),
            wishes: self.wishes.clone(),
        }
    }

    /// The terms by which pods of this class matter to others: what they
    /// keep away, and whom they would like near or far.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/scoring.go processExistingPod`
    pub(super) fn held(&self) -> Vec<(HolderKind, Scope, String, i32)> {
        let held = |kind, term: &Term, weight| (kind, term.scope.clone(), term.key.clone(), weight);
        let away = self.away.iter().map(|term| held(HolderKind::KeepsAway, term, 1));
        // Required affinity counts as a wish of weight 1 for those to come.
        let near = self.near.iter().map(|term| held(HolderKind::Wishes, term, 1));
        let wishes = self.wishes.iter().map(|(weight, term)| held(HolderKind::Wishes, term, *weight));
        away.chain(near).chain(wishes).collect()
    }
}
