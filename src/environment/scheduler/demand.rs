//! What pods ask of a node, and the nodes that are known not to offer it.
//!
//! A node that was refused once is not looked at again for pods that ask the
//! same until it has changed or a pod has left it: every look is paid for by
//! an event, and none by the size of the cluster.

use crate::api::{Extras, Labels, NodeMatch, PodTemplate, Resources, Toleration};
use crate::environment::bits::Bits;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// So many different demands are remembered.
const MOST_DEMANDS: usize = 256;

/// What a pod's template asks of a node.
#[derive(Clone, PartialEq, Debug)]
struct Asked {
    requests: Resources,
    tolerations: Vec<Toleration>,
    selector: Labels,
    affinity: Vec<Vec<NodeMatch>>,
    extras: Extras,
}

impl Asked {
    fn is_by(&self, template: &PodTemplate) -> bool {
        self.requests == template.requests
            && self.tolerations == template.tolerations
            && self.selector == template.node_selector
            && self.affinity == template.node_affinity
            && self.extras == template.placement.extras
    }
}

/// One demand and what is known of it.
#[derive(Clone, Debug)]
struct Demand {
    asked: Asked,
    /// By rank: the nodes that are not known to be refused.
    open: Bits,
    /// How many of the reasons to look again have been considered.
    seen: usize,
}

impl Demand {
    /// Considers the nodes that are worth another look since the last time,
    /// or all nodes if the list no longer reaches back that far.
    fn catch_up(&mut self, reopened: &[u32], dropped: usize, nodes: usize) {
        match self.seen.checked_sub(dropped).and_then(|from| reopened.get(from..)) {
            Some(news) => news.iter().for_each(|rank| self.open.insert(*rank)),
            None => self.open = Bits::all(nodes),
        }
        self.seen = dropped + reopened.len();
    }
}

/// All demands, and which nodes are worth another look.
#[derive(Clone, Debug, Default)]
pub(super) struct Demands {
    demands: Vec<Demand>,
    /// By what tells most of them apart.
    by_requests: FxHashMap<(i64, i64), Vec<u32>>,
    /// The template that was asked about last: pods come in sorts.
    last: Option<(Arc<PodTemplate>, u32)>,
    /// Ranks of nodes that have changed or lost a pod, after those dropped.
    reopened: Vec<u32>,
    dropped: usize,
    nodes: usize,
}

/// Which demand.
pub(super) type DemandId = u32;

impl Demands {
    /// The demand of a template, with all that has happened since the last
    /// pod that had it.
    pub(super) fn of(&mut self, template: &Arc<PodTemplate>) -> DemandId {
        let last = self.last.as_ref().filter(|(known, _)| Arc::ptr_eq(known, template)).map(|(_, id)| *id);
        let id = last.unwrap_or_else(|| self.find(template));
        self.last = Some((template.clone(), id));
        let demand = &mut self.demands[id as usize];
        demand.catch_up(&self.reopened, self.dropped, self.nodes);
        id
    }

    fn find(&mut self, template: &PodTemplate) -> DemandId {
        let key = (template.requests.cpu_milli, template.requests.memory_milli);
        let known = self.by_requests.get(&key).into_iter().flatten().copied();
        if let Some(id) = known.into_iter().find(|id| self.demands[*id as usize].asked.is_by(template)) {
            return id;
        }
        if self.demands.len() == MOST_DEMANDS {
            self.demands.clear();
            self.by_requests.clear();
        }
        let id = self.demands.len() as DemandId;
        let asked = Asked {
            requests: template.requests,
            tolerations: template.tolerations.clone(),
            selector: template.node_selector.clone(),
            affinity: template.node_affinity.clone(),
            extras: template.placement.extras.clone(),
        };
        let seen = self.dropped + self.reopened.len();
        self.demands.push(Demand { asked, open: Bits::all(self.nodes), seen });
        self.by_requests.entry(key).or_default().push(id);
        id
    }

    /// The nodes worth a look, by rank.
    pub(super) fn open(&self, id: DemandId) -> &Bits {
        &self.demands[id as usize].open
    }

    /// The node will not do until something happens to it.
    pub(super) fn refuse(&mut self, id: DemandId, rank: u32) {
        self.demands[id as usize].open.remove(rank);
    }

    /// Something has happened to a node that may make it do.
    pub(super) fn reopen(&mut self, rank: u32) {
        // A demand that is far behind looks at all nodes again.
        if self.reopened.len() > 2 * self.nodes {
            self.drop_reopened();
        }
        self.reopened.push(rank);
    }

    fn drop_reopened(&mut self) {
        self.dropped += self.reopened.len();
        self.reopened.clear();
    }

    /// The nodes have new ranks: `before` tells the old one of each, if it
    /// had one.
    pub(super) fn rerank(&mut self, before: &[Option<u32>]) {
        for demand in &mut self.demands {
            demand.catch_up(&self.reopened, self.dropped, self.nodes);
            let is_open = |old: u32| demand.open.contains(old);
            let open = before.iter().enumerate().filter(|(_, old)| old.is_none_or(is_open));
            demand.open = open.map(|(rank, _)| rank as u32).collect();
        }
        self.drop_reopened();
        self.nodes = before.len();
    }
}
