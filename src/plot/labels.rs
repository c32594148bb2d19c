//! Where labels go so that they never overlap.

/// The lane of each label, lanes counted from the top, for labels that hang
/// on vertical lines: the label begins at its line's `x` and is `width` wide,
/// and the line runs from the label's lane downwards.
///
/// A label goes below every earlier label that its line would cross, so that
/// neither labels nor lines run into a label. Labels must come in order of
/// `x`; of equal ones each gets a lane of its own.
pub(super) fn lanes(labels: &[(i32, i32)], gap: i32) -> Vec<usize> {
    let mut lanes: Vec<usize> = Vec::with_capacity(labels.len());
    for (i, &(x, _)) in labels.iter().enumerate() {
        let crossed = |&(j, _): &(usize, &usize)| labels[j].0 + labels[j].1 + gap > x;
        let lowest = lanes.iter().enumerate().take(i).filter(crossed).map(|(_, &lane)| lane).max();
        lanes.push(lowest.map_or(0, |lane| lane + 1));
    }
    lanes
}

/// Moves labels apart so that each is at least `spacing` from the next, as
/// near to where they want to be as possible and within `top..=bottom`. The
/// order of wishes is kept; of equal wishes the first comes first.
pub(super) fn spread(wishes: &[i32], spacing: i32, top: i32, bottom: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by_key(|&i| wishes[i]);
    // Groups of neighbours that touch: sum of wished tops, and members.
    let mut groups: Vec<(i64, i64)> = Vec::new();
    let place = |(sum, count): (i64, i64)| {
        let height = (count - 1) * i64::from(spacing);
        let middle = sum.div_euclid(count);
        let highest = i64::from(bottom).max(i64::from(top) + height) - height;
        middle.clamp(i64::from(top), highest)
    };
    for &i in &order {
        groups.push((i64::from(wishes[i]), 1));
        while let [.., above, below] = groups[..] {
            if place(above) + above.1 * i64::from(spacing) <= place(below) {
                break;
            }
            // The lower group's wishes as seen from the top of the upper one.
            let shift = below.1 * above.1 * i64::from(spacing);
            groups.pop();
            groups.pop();
            groups.push((above.0 + below.0 - shift, above.1 + below.1));
        }
    }
    let mut places = vec![0; wishes.len()];
    let mut next = order.into_iter();
    for group in groups {
        for k in 0..group.1 {
            if let Some(i) = next.next() {
                places[i] = (place(group) + k * i64::from(spacing)) as i32;
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_never_cross_labels() {
        for (labels, expected) in [
            (&[][..], &[][..]),
            (&[(0, 50), (100, 50)], &[0, 0]),
            (&[(0, 50), (40, 50), (60, 50)], &[0, 1, 2]),
            (&[(0, 50), (40, 50), (95, 50)], &[0, 1, 0]),
            (&[(0, 500), (40, 10), (60, 10)], &[0, 1, 1]),
            (&[(5, 10), (5, 10)], &[0, 1]),
        ] {
            assert_eq!(lanes(labels, 2), expected, "{labels:?}");
        }
    }

    #[test]
    fn labels_move_apart_and_stay_inside() {
        for (wishes, expected) in [
            (&[50][..], &[50][..]),
            (&[50, 50], &[45, 55]),
            (&[50, 50, 50], &[40, 50, 60]),
            (&[0, 0], &[0, 10]),
            (&[100, 100, 20], &[90, 100, 20]),
            (&[60, 40], &[60, 40]),
            (&[200, -50], &[100, 0]),
        ] {
            assert_eq!(spread(wishes, 10, 0, 100), expected, "{wishes:?}");
        }
        let crowded = spread(&[5; 20], 10, 0, 50);
        assert!(crowded.windows(2).all(|w| w[1] - w[0] == 10), "{crowded:?}");
    }
}
