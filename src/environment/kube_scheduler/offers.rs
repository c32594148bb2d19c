//! The nodes that have room for a sort of pods, sorted by how good they are:
//! nodes that are equally good are one set of bits, whatever their number.

use super::fit::{Entry, MOST};
use super::nodes::Nodes;
use super::window::Window;
use crate::environment::bits::{Bits, ones};
use std::cmp::Reverse;

/// How much each way of comparing nodes counts; room counts once.
///
/// Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go getDefaultPlugins`
const TAINTS: i64 = 3;
const LIKES: i64 = 2;

/// What makes nodes equally good, other pods aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Offer {
    /// Least-allocated and balanced allocation together, from 0 to 200.
    pub(super) room: u16,
    /// Taints of effect `PreferNoSchedule` that the pod does not tolerate.
    pub(super) taints: u8,
    /// Which of the images that the pod wants are there, a bit each.
    pub(super) images: u8,
    /// The weights of the preferred node affinity terms that hold.
    pub(super) likes: i32,
}

impl Offer {
    const fn rank(self) -> (Reverse<u16>, u8, u8, Reverse<i32>) {
        (Reverse(self.room), self.taints, self.images, Reverse(self.likes))
    }

    const fn is_only_room(self) -> bool {
        self.taints == 0 && self.images == 0 && self.likes == 0
    }
}

/// Nodes that are equally good.
#[derive(Clone, Debug)]
struct Grade {
    offer: Offer,
    /// By place.
    nodes: Bits,
    len: u32,
}

/// No grade: the node will not do, or nobody has looked.
const NONE: u32 = u32::MAX;

/// The nodes by grades.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers {
    /// Which order of the nodes the places are of.
    order: u64,
    /// How many changes of nodes it has heard of.
    heard: u64,
    /// Places that must be looked at before anything is believed of them.
    stale: Bits,
    /// Places that will do, as far as known.
    good: Bits,
    grades: Vec<Grade>,
    /// The grades, the one with most room first.
    ranking: Vec<u32>,
    free: Vec<u32>,
    /// By place.
    grade_of: Vec<u32>,
    /// How many grades are not only about room.
    mixed: u32,
}

impl Offers {
    /// Hears of what has happened to the nodes.
    pub(super) fn catch_up(&mut self, nodes: &Nodes) {
        let len = nodes.order().len();
        if self.order != nodes.orders() {
            *self = Offers {
                order: nodes.orders(),
                stale: Bits::all(len),
                good: Bits::none(len),
                grade_of: vec![NONE; len],
                ..Offers::default()
            };
        } else if let Some(changed) = nodes.changed_since(self.heard) {
            changed.iter().filter_map(|slot| nodes.place(*slot)).for_each(|place| self.stale.insert(place));
        } else {
            self.stale = Bits::all(len);
        }
        self.heard = nodes.now();
    }

    /// Of the places of a word those that will do, `look` telling what is to
    /// be found at one that has changed.
    #[inline]
    pub(super) fn will_do(&mut self, at: usize, asked: u64, mut look: impl FnMut(usize) -> Entry) -> u64 {
        let stale = self.stale.word(at) & asked;
        for bit in ones(stale) {
            let place = at * 64 + bit as usize;
            let entry = look(place);
            self.put(place, entry.offer().ok());
        }
        self.good.word(at) & asked
    }

    /// Notes what a node offers.
    fn put(&mut self, place: usize, offer: Option<Offer>) {
        self.stale.remove(place as u32);
        let before = self.grade_of[place];
        if before != NONE {
            if Some(self.grades[before as usize].offer) == offer {
                return;
            }
            self.leave(place, before);
        }
        let Some(offer) = offer else {
            self.good.remove(place as u32);
            self.grade_of[place] = NONE;
            return;
        };
        let id = self.grade(offer);
        let grade = &mut self.grades[id as usize];
        grade.nodes.insert(place as u32);
        grade.len += 1;
        self.good.insert(place as u32);
        self.grade_of[place] = id;
    }

    fn leave(&mut self, place: usize, id: u32) {
        let grade = &mut self.grades[id as usize];
        grade.nodes.remove(place as u32);
        grade.len -= 1;
        if grade.len == 0 {
            self.mixed -= u32::from(!grade.offer.is_only_room());
            self.ranking.retain(|other| *other != id);
            self.free.push(id);
        }
    }

    /// The grade of an offer, which is opened if there is none.
    fn grade(&mut self, offer: Offer) -> u32 {
        let rank = |id: &u32| self.grades[*id as usize].offer.rank();
        let at = match self.ranking.binary_search_by_key(&offer.rank(), rank) {
            Ok(at) => return self.ranking[at],
            Err(at) => at,
        };
        self.mixed += u32::from(!offer.is_only_room());
        let id = match self.free.pop() {
            Some(id) => {
                self.grades[id as usize].offer = offer;
                id
            }
            None => {
                self.grades.push(Grade { offer, nodes: Bits::none(self.grade_of.len()), len: 0 });
                self.grades.len() as u32 - 1
            }
        };
        self.ranking.insert(at, id);
        id
    }

    /// The grades with their points, the best first. Points for taints and
    /// likes depend on who is compared, those for images on who else has them:
    /// `images` tells.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/helper/normalize_score.go DefaultNormalizeScore`
    pub(super) fn compare(&self, window: &Window, images: impl Fn(u8) -> i32, points: &mut Vec<(i32, u32)>) {
        points.clear();
        let room = |id: &u32| (i32::from(self.grades[*id as usize].offer.room), *id);
        if self.mixed == 0 {
            points.extend(self.ranking.iter().map(room));
            return;
        }
        let met = self.ranking.iter().filter(|id| window.meets(window.words(), self.nodes(**id)));
        points.extend(met.map(room));
        let offers: Vec<Offer> = points.iter().map(|(_, id)| self.grades[*id as usize].offer).collect();
        let worst = offers.iter().map(|offer| offer.taints).max().map_or(0, i64::from);
        let most = offers.iter().map(|offer| offer.likes).max().map_or(0, i64::from);
        for ((points, _), offer) in points.iter_mut().zip(offers) {
            if worst > 0 {
                *points += (TAINTS * (MOST - MOST * i64::from(offer.taints) / worst)) as i32;
            }
            if offer.images > 0 {
                *points += images(offer.images);
            }
            if most > 0 {
                *points += (LIKES * (MOST * i64::from(offer.likes) / most)) as i32;
            }
        }
        points.sort_by_key(|(points, _)| Reverse(*points));
    }

    /// The nodes of a grade, by place.
    pub(super) fn nodes(&self, grade: u32) -> &Bits {
        &self.grades[grade as usize].nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn offer(room: u16, taints: u8, likes: i32) -> Offer {
        Offer { room, taints, images: 0, likes }
    }

    fn offers(of: &[Option<Offer>]) -> (Offers, Window) {
        let mut offers = Offers {
            stale: Bits::all(of.len()),
            good: Bits::none(of.len()),
            grade_of: vec![NONE; of.len()],
            ..Offers::default()
        };
        let mut window = Window::default();
        window.begin(0, of.len());
        let good = offers.will_do(0, (1 << of.len()) - 1, |place| Entry::of(of[place]));
        window.push(good);
        (offers, window)
    }

    #[test]
    fn equally_good_nodes_are_one_grade() {
        let same = Some(offer(90, 0, 0));
        let (mut offers, window) = offers(&[same, None, Some(offer(95, 0, 0)), same]);
        assert_eq!(window.words(), [0b1101]);
        let mut points = Vec::new();
        offers.compare(&window, |_| 0, &mut points);
        let sets: Vec<(i32, u64)> = points.iter().map(|(points, id)| (*points, offers.nodes(*id).word(0))).collect();
        assert_eq!(sets, [(95, 0b0100), (90, 0b1001)]);
        offers.put(2, same);
        offers.put(3, None);
        offers.compare(&window, |_| 0, &mut points);
        assert_eq!((points.len(), offers.nodes(points[0].1).word(0)), (1, 0b0101));
        assert_eq!(offers.will_do(0, 0b1110, |_| unreachable!("nothing is stale")), 0b0100);
    }

    #[test]
    fn taints_and_likes_are_compared_among_those_there_are() {
        let (offers, window) =
            offers(&[Some(offer(100, 2, 0)), Some(offer(50, 0, 0)), Some(offer(50, 1, 10)), Some(offer(40, 1, 5))]);
        let mut points = Vec::new();
        offers.compare(&window, |_| 0, &mut points);
        let points: Vec<i32> = points.into_iter().map(|(points, _)| points).collect();
        assert_eq!(points, [50 + 150 + 200, 50 + 300, 40 + 150 + 100, 100]);
    }
}
