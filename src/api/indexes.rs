//! Sets of completion indexes.

use std::fmt;

/// A set of completion indexes, kept as ranges, such as `1,3-5,7`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Indexes(Vec<(u32, u32)>);

impl Indexes {
    /// A set of single indexes in ascending order.
    pub fn of(indexes: impl IntoIterator<Item = u32>) -> Indexes {
        let mut set = Indexes::default();
        indexes.into_iter().for_each(|index| set.push(index, index));
        set
    }

    /// Adds a range at the end; it begins after everything that is there or
    /// overlaps the last one.
    fn push(&mut self, first: u32, last: u32) {
        match self.0.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
            _ => self.0.push((first, last)),
        }
    }

    /// Whether an index is in it.
    ///
    /// Upstream: `job/indexed_job_utils.go orderedIntervals.has`
    pub fn has(&self, index: u32) -> bool {
        let at = self.0.partition_point(|&(_, last)| last < index);
        self.0.get(at).is_some_and(|&(first, _)| first <= index)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    ///
    /// Upstream: `job/indexed_job_utils.go orderedIntervals.total`
    pub fn len(&self) -> usize {
        self.0.iter().map(|&(first, last)| (last - first) as usize + 1).sum()
    }

    /// The ranges, each with its first and its last index.
    pub fn ranges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().copied()
    }

    /// All indexes, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }

    /// These and the ones of another set.
    ///
    /// Upstream: `job/indexed_job_utils.go merge`
    #[must_use]
    pub fn with(&self, other: &Indexes) -> Indexes {
        let mut all: Vec<(u32, u32)> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut set = Indexes::default();
        for (first, last) in all {
            set.push(first, last);
        }
        set
    }

    /// Those below a limit: what stays when `completions` is lowered.
    ///
    /// Upstream: `job/indexed_job_utils.go parseIndexesFromString`
    #[must_use]
    pub fn below(&self, limit: u32) -> Indexes {
        let kept = self.0.iter().filter(|&&(first, _)| first < limit);
        Indexes(kept.map(|&(first, last)| (first, last.min(limit - 1))).collect())
    }

    /// Whether the two have an index in common.
    pub fn overlaps(&self, other: &Indexes) -> bool {
        self.0.iter().any(|&(first, last)| other.0.iter().any(|&(a, b)| a <= last && first <= b))
    }

    /// How many the two have in common.
    ///
    /// Upstream: `job/success_policy.go getSatisfiedCount`
    pub fn common(&self, other: &Indexes) -> usize {
        let shared = |&(first, last): &(u32, u32)| -> usize {
            let overlap = |&(a, b): &(u32, u32)| {
                let (low, high) = (a.max(first), b.min(last));
                if low <= high { (high - low) as usize + 1 } else { 0 }
            };
            other.0.iter().map(overlap).sum()
        };
        self.0.iter().map(shared).sum()
    }

    /// Reads the spelling of the API: numbers and ranges in ascending order,
    /// all below `completions`.
    ///
    /// Upstream: `pkg/apis/batch/validation/validation.go validateIndexesFormat`
    ///
    /// # Errors
    /// What is wrong with it, in the API server's words.
    pub fn parse(text: &str, completions: u32) -> Result<Indexes, String> {
        let mut set = Indexes::default();
        let mut before: Option<u32> = None;
        for interval in text.split(',').filter(|_| !text.is_empty()) {
            let limits: Vec<&str> = interval.split('-').collect();
            if limits.len() > 2 {
                return Err(format!(
                    "the fragment {interval:?} violates the requirement that an index interval can have at most two parts separated by '-'"
                ));
            }
            let first = parse_index(limits[0], completions)?;
            if before.is_some_and(|before| before >= first) {
                return Err(format!("non-increasing order, previous: {}, current: {first}", before.unwrap_or(0)));
            }
            let last = match limits.get(1) {
                Some(text) => parse_index(text, completions)?,
                None => first,
            };
            if limits.len() > 1 && first >= last {
                return Err(format!("non-increasing order, previous: {first}, current: {last}"));
            }
            set.push(first, last);
            before = Some(last);
        }
        Ok(set)
    }
}

fn parse_index(text: &str, completions: u32) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(index) if index >= completions => Err(format!("too large index: {text:?}")),
        Ok(index) => Ok(index),
        Err(_) => Err(format!("cannot convert string to integer for index: {text:?}")),
    }
}

/// As the API spells it: two indexes in a row are a list, three are a range.
///
/// Upstream: `job/indexed_job_utils.go orderedIntervals.String`
impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, &(first, last)) in self.0.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            match last - first {
                0 => write!(f, "{comma}{first}")?,
                1 => write!(f, "{comma}{first},{last}")?,
                _ => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_spelt_as_the_api_spells_them() {
        for (text, indexes) in [
            ("", vec![]),
            ("0", vec![0]),
            ("0,1", vec![0, 1]),
            ("0-2", vec![0, 1, 2]),
            ("0,2,3,5-8", vec![0, 2, 3, 5, 6, 7, 8]),
        ] {
            let set = Indexes::of(indexes.clone());
            assert_eq!(set.to_string(), text);
            assert_eq!(Indexes::parse(text, 9), Ok(set.clone()));
            assert_eq!((set.len(), set.iter().collect::<Vec<_>>()), (indexes.len(), indexes.clone()));
            assert!((0..9).all(|i| set.has(i) == indexes.contains(&i)), "{text}");
        }
    }

    #[test]
    fn misspelt_sets_are_refused() {
        for (text, why) in [
            ("9", "too large index: \"9\""),
            ("1,", "cannot convert string to integer for index: \"\""),
            ("-1", "cannot convert string to integer for index: \"\""),
            ("2,1", "non-increasing order, previous: 2, current: 1"),
            ("3-3", "non-increasing order, previous: 3, current: 3"),
            (
                "1-2-3",
                "the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'",
            ),
        ] {
            assert_eq!(Indexes::parse(text, 9), Err(why.to_string()));
        }
    }

    #[test]
    fn sets_are_joined_cut_and_compared() {
        let (a, b) = (Indexes::of([0, 1, 2, 7]), Indexes::of([2, 3, 5]));
        assert_eq!(a.with(&b).to_string(), "0-3,5,7");
        assert_eq!(a.with(&b).below(6).to_string(), "0-3,5");
        assert_eq!(a.below(2).to_string(), "0,1");
        assert!(a.below(0).is_empty());
        assert_eq!((a.common(&b), a.overlaps(&b)), (1, true));
        assert_eq!((a.common(&Indexes::of([5, 8])), a.overlaps(&Indexes::of([5, 8]))), (0, false));
    }
}
