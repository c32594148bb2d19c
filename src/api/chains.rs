//! Who is where, in the order in which they came.

/// Members in chains, both by number: which pods are on each node. A member
/// is in one chain at most.
///
/// Joining touches nothing but the member's own link and the end of the chain:
/// there are far more links than fit into a processor's cache. The way back
/// along a chain is therefore only laid when a member leaves, once for each.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    /// The member of each chain that came last.
    newest: Vec<u32>,
    links: Vec<Link>,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug)]
struct Link {
    chain: u32,
    older: u32,
    /// None for the newest, and as long as it is not known.
    newer: u32,
}

const NONE: u32 = u32::MAX;
const LOOSE: Link = Link { chain: NONE, older: NONE, newer: NONE };

impl Chains {
    /// The chain that a member is in.
    pub fn of(&self, member: u32) -> Option<u32> {
        self.links.get(member as usize).map(|link| link.chain).filter(|chain| *chain != NONE)
    }

    /// Makes room for a member that may join a chain.
    pub fn expect(&mut self, member: u32) {
        if self.links.len() <= member as usize {
            self.links.resize(member as usize + 1, LOOSE);
        }
    }

    /// Puts a member at the end of a chain; one that is in another leaves it.
    pub fn join(&mut self, chain: u32, member: u32) {
        self.leave(member);
        if self.newest.len() <= chain as usize {
            self.newest.resize(chain as usize + 1, NONE);
        }
        self.expect(member);
        let older = std::mem::replace(&mut self.newest[chain as usize], member);
        self.links[member as usize] = Link { chain, older, newer: NONE };
    }

    /// Takes a member out of its chain; whether it was in one.
    pub fn leave(&mut self, member: u32) -> bool {
        let Some(chain) = self.of(member) else { return false };
        if self.newest[chain as usize] != member && self.links[member as usize].newer == NONE {
            self.lay_way_back(chain);
        }
        let Link { older, newer, .. } = std::mem::replace(&mut self.links[member as usize], LOOSE);
        match newer {
            NONE => self.newest[chain as usize] = older,
            newer => self.links[newer as usize].older = older,
        }
        if older != NONE {
            self.links[older as usize].newer = newer;
        }
        true
    }

    /// Tells the members of a chain who came after them. Those that do not
    /// know it are the newest.
    fn lay_way_back(&mut self, chain: u32) {
        let mut newer = self.newest[chain as usize];
        loop {
            let member = self.links[newer as usize].older;
            if member == NONE || self.links[member as usize].newer != NONE {
                return;
            }
            self.links[member as usize].newer = newer;
            newer = member;
        }
    }

    /// The members of a chain, the newest first.
    pub fn newest_first(&self, chain: u32) -> impl Iterator<Item = u32> {
        let first = self.newest.get(chain as usize).copied().unwrap_or(NONE);
        let known = |member: u32| (member != NONE).then_some(member);
        std::iter::successors(known(first), move |member| known(self.links[*member as usize].older))
    }

    /// The members of a chain in the order in which they came.
    pub fn in_order(&self, chain: u32) -> Vec<u32> {
        let mut members: Vec<u32> = self.newest_first(chain).collect();
        members.reverse();
        members
    }

    /// Takes all members out of a chain.
    pub fn clear(&mut self, chain: u32) {
        for member in self.in_order(chain) {
            self.links[member as usize] = LOOSE;
        }
        if let Some(newest) = self.newest.get_mut(chain as usize) {
            *newest = NONE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Draws;

    #[test]
    fn chains_are_as_lists() {
        let draws = Draws::new(5);
        let (mut chains, mut lists) = (Chains::default(), vec![Vec::new(); 4]);
        for n in 0..2_000 {
            let member = draws.index("test", "member", n, 30) as u32;
            let chain = draws.index("test", "chain", n, 6);
            let was = lists.iter().position(|list| list.contains(&member));
            assert_eq!(chains.of(member), was.map(|chain| chain as u32));
            for list in &mut lists {
                list.retain(|other| *other != member);
            }
            match chain {
                0..4 => {
                    chains.join(chain as u32, member);
                    lists[chain].push(member);
                }
                4 => assert_eq!(chains.leave(member), was.is_some()),
                _ => {
                    chains.leave(member);
                    chains.clear(member % 4);
                    lists[member as usize % 4].clear();
                }
            }
            for (chain, list) in lists.iter().enumerate() {
                assert_eq!(chains.in_order(chain as u32), *list, "{n}");
            }
        }
        assert!(chains.newest_first(9).next().is_none() && chains.of(99).is_none());
    }
}
