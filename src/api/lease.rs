//! Leases, by whose renewals a kubelet shows that it is alive.

use super::{Key, Meta};
use crate::time::{Instant, Span};

/// A stored Lease of a node.
///
/// Renewals are a rule and not writes: 5,000 kubelets that all are well cost
/// nothing. The object changes only when the renewals end or begin anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// Its metadata; the name is the node's.
    pub meta: Meta,
    /// The node it belongs to.
    pub node: Key,
    /// The first renewal.
    pub since: Instant,
    /// Time between renewals.
    pub every: Span,
    /// When the kubelet fell silent, if it has. A renewal due at that very
    /// moment does not happen.
    pub silent: Option<Instant>,
}

impl Lease {
    /// The namespace of the nodes' Leases.
    pub const NAMESPACE: &str = "kube-node-lease";

    /// How old the last renewal was when the kubelet fell silent; `None` as
    /// long as it renews.
    #[must_use]
    pub const fn silent_after(&self) -> Option<Span> {
        let Some(silent) = self.silent else { return None };
        let since = silent.0 - self.since.0 - 1;
        if since <= 0 || self.every.0 == 0 {
            return Some(Span((since + 1) as u64));
        }
        Some(Span(since as u64 % self.every.0 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Uid};
    use crate::time::Timestamp;

    #[test]
    fn a_renewal_due_when_the_kubelet_falls_silent_does_not_happen() {
        let at = |seconds| Timestamp(seconds).instant();
        let node = Key { kind: Kind::Node, slot: 0, uid: Uid(1) };
        let meta = Meta::named(Lease::NAMESPACE, "a");
        let mut lease = Lease { meta, node, since: at(100), every: Span::from_secs(10), silent: None };
        assert_eq!(lease.silent_after(), None);
        for (silent, age) in [(100, 0), (104, 4), (110, 10), (111, 1), (120, 10), (125, 5)] {
            lease.silent = Some(at(silent));
            assert_eq!(lease.silent_after(), Some(Span::from_secs(age)), "{silent}");
        }
    }
}
