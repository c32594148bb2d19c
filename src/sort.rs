//! Go's unstable sort, so that ties fall as they do in the real controllers.
//!
//! Controllers rank pods for deletion with Go's `sort.Sort`. Where two pods
//! rank equal, the algorithm decides which of them goes, and the recorded
//! traces show its decision. A stable sort, or Rust's own unstable one, would
//! delete other pods.
//!
//! `sort.Slice` and `slices.SortFunc` of Go 1.21 to 1.26 leave the same order.

/// Sorts like Go's `sort.Sort` (since Go 1.21): equal elements end up in
/// exactly the order in which Go leaves them.
///
/// `less(a, b)` says whether `a` must come before `b`. It is asked in Go's
/// order with Go's arguments. If it is no strict weak ordering the result is
/// some permutation, as in Go.
///
/// ```
/// let mut pods = ["web-b", "db-a", "web-a", "db-b"];
/// seatrial::sort::go_sort(&mut pods, |x, y| x[..2] < y[..2]);
/// assert_eq!(pods, ["db-a", "db-b", "web-b", "web-a"]);
/// ```
///
/// Upstream: `sort/zsortinterface.go pdqsort`
pub fn go_sort<T>(items: &mut [T], less: impl FnMut(&T, &T) -> bool) {
    let end = items.len();
    let bad_splits_allowed = usize::BITS - end.leading_zeros();
    Sorter { items, less }.sort(0, end, bad_splits_allowed);
}

/// Up to this length insertion alone is fastest.
const INSERTION_AT_MOST: usize = 12;
/// From this length on the pivot is a median of medians, and a few misplaced
/// elements are worth moving one by one.
const LONG: usize = 50;
/// How many misplaced elements are moved one by one before giving up.
const REPAIRS: usize = 5;

/// What the elements looked at for the pivot say about the whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trend {
    Unknown,
    Rising,
    Falling,
}

/// The whole slice, addressed by absolute positions: two steps of the
/// algorithm look to the left of the part they work on.
struct Sorter<'a, T, F> {
    items: &'a mut [T],
    less: F,
}

impl<T, F: FnMut(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&mut self, i: usize, j: usize) -> bool {
        (self.less)(&self.items[i], &self.items[j])
    }

    /// Sorts `start..end` by splitting it again and again, and recurses into
    /// the shorter side only. After `bad_splits_allowed` lopsided splits it
    /// changes to heapsort, which has no bad inputs.
    fn sort(&mut self, mut start: usize, mut end: usize, mut bad_splits_allowed: u32) {
        let mut balanced = true;
        let mut was_split = true;
        while end - start > INSERTION_AT_MOST {
            if bad_splits_allowed == 0 {
                return self.heap_sort(start, end);
            }
            if !balanced {
                self.break_patterns(start, end);
                bad_splits_allowed -= 1;
            }
            let (mut pivot, mut trend) = self.choose_pivot(start, end);
            if trend == Trend::Falling {
                self.items[start..end].reverse();
                pivot = start + (end - 1 - pivot);
                trend = Trend::Rising;
            }
            if balanced && was_split && trend == Trend::Rising && self.repair(start, end) {
                return;
            }
            // Nothing here is less than what stands left of it. So a pivot
            // that is not greater than that is the least: take out its equals.
            if start > 0 && !self.less(start - 1, pivot) {
                start = self.split_off_equals(start, end, pivot);
                continue;
            }
            let (middle, nothing_moved) = self.split(start, end, pivot);
            was_split = nothing_moved;
            let (left, right) = (middle - start, end - middle);
            balanced = left.min(right) >= (end - start) / 8;
            if left < right {
                self.sort(start, middle, bad_splits_allowed);
                start = middle + 1;
            } else {
                self.sort(middle + 1, end, bad_splits_allowed);
                end = middle;
            }
        }
        for i in start + 1..end {
            self.sink(i, start);
        }
    }

    /// Moves element `i` to the left while it is less than its neighbour,
    /// `leftmost` at the furthest.
    fn sink(&mut self, i: usize, leftmost: usize) {
        for j in (leftmost + 1..=i).rev() {
            if !self.less(j, j - 1) {
                return;
            }
            self.items.swap(j, j - 1);
        }
    }

    /// Sorts a nearly sorted part by moving a few elements; says whether it
    /// is sorted now.
    fn repair(&mut self, start: usize, end: usize) -> bool {
        let mut i = start + 1;
        for _ in 0..REPAIRS {
            while i < end && !self.less(i, i - 1) {
                i += 1;
            }
            if i == end {
                return true;
            }
            if end - start < LONG {
                return false;
            }
            self.items.swap(i, i - 1);
            if i - start >= 2 {
                // Like Go not stopping at `start`: an order with
                // contradictions could tell the difference.
                self.sink(i - 1, 0);
            }
            for j in i + 1..end {
                if !self.less(j, j - 1) {
                    break;
                }
                self.items.swap(j, j - 1);
            }
        }
        false
    }

    /// Splits around the pivot: the lesser ones, the pivot, the others.
    /// Returns where the pivot is, and whether the others were already so.
    fn split(&mut self, start: usize, end: usize, pivot: usize) -> (usize, bool) {
        self.items.swap(start, pivot);
        let (mut i, mut j) = (start + 1, end - 1);
        let mut nothing_moved = true;
        loop {
            while i <= j && self.less(i, start) {
                i += 1;
            }
            while i <= j && !self.less(j, start) {
                j -= 1;
            }
            if i > j {
                break;
            }
            self.items.swap(i, j);
            nothing_moved = false;
            i += 1;
            j -= 1;
        }
        self.items.swap(j, start);
        (j, nothing_moved)
    }

    /// Moves what equals the pivot to the front, given that nothing is less;
    /// returns where the greater ones begin.
    fn split_off_equals(&mut self, start: usize, end: usize, pivot: usize) -> usize {
        self.items.swap(start, pivot);
        let (mut i, mut j) = (start + 1, end - 1);
        loop {
            while i <= j && !self.less(start, i) {
                i += 1;
            }
            while i <= j && self.less(start, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.items.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    /// Swaps the three middle elements with others picked at random, always
    /// the same for a given length.
    fn break_patterns(&mut self, start: usize, end: usize) {
        let length = end - start;
        let mut random = length as u64;
        let mask = (1_u64 << (u64::BITS - (length as u64).leading_zeros())) - 1;
        let first = start + length / 4 * 2 - 1;
        for i in first..first + 3 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = (random & mask) as usize;
            if other >= length {
                other -= length;
            }
            self.items.swap(i, start + other);
        }
    }

    /// Picks a pivot from three places, for a long part from three around
    /// each of them, and guesses the trend from how they stand to each other.
    fn choose_pivot(&mut self, start: usize, end: usize) -> (usize, Trend) {
        let length = end - start;
        let quarter = length / 4;
        let mut places = [start + quarter, start + 2 * quarter, start + 3 * quarter];
        let mut inversions = 0;
        if length >= LONG {
            for place in &mut places {
                *place = self.median([*place - 1, *place, *place + 1], &mut inversions);
            }
        }
        let pivot = self.median(places, &mut inversions);
        // Four medians of three comparisons each: every one of them inverted.
        let trend = match inversions {
            0 => Trend::Rising,
            12 => Trend::Falling,
            _ => Trend::Unknown,
        };
        (pivot, trend)
    }

    /// The place of the middle one of three, counting inverted pairs.
    fn median(&mut self, [mut a, mut b, mut c]: [usize; 3], inversions: &mut u32) -> usize {
        let mut order = |x: &mut usize, y: &mut usize| {
            if self.less(*y, *x) {
                *inversions += 1;
                std::mem::swap(x, y);
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }

    fn heap_sort(&mut self, start: usize, end: usize) {
        let length = end - start;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift_down(start, root, length);
        }
        for last in (0..length).rev() {
            self.items.swap(start, start + last);
            self.sift_down(start, 0, last);
        }
    }

    /// Restores the heap of `length` elements at `start` below `root`,
    /// greatest first.
    fn sift_down(&mut self, start: usize, mut root: usize, length: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= length {
                return;
            }
            if child + 1 < length && self.less(start + child, start + child + 1) {
                child += 1;
            }
            if !self.less(start + root, start + child) {
                return;
            }
            self.items.swap(start + root, start + child);
            root = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::go_sort;

    /// FNV-1a 32 over the original positions of the sorted elements of all
    /// twelve shapes, for lengths 1 to 300, written by a program compiled
    /// with Go 1.26.4 that sorts the same keys with `sort.Sort`.
    #[rustfmt::skip]
    const GO: [u32; 300] = [
        0xe23c_62b5, 0xa213_2c8f, 0x99d6_648d, 0x1753_e38b, 0x3b67_eefb, 0x3769_eccf, 0x156b_3001, 0xb527_4607, 0x28ba_069f, 0x7863_da63,
        0x867a_f25b, 0x4860_a399, 0x7df1_f3ab, 0xd3c0_57fd, 0x3e0a_9b95, 0x05c1_c753, 0x68f0_8043, 0xfbc4_bb8f, 0x283b_fc4b, 0x7eba_3657,
        0x1588_a34b, 0x41a5_62df, 0x26b7_c4d3, 0x4e11_27c3, 0xeb4c_3373, 0xf61a_847f, 0xed5c_7d97, 0xe3f1_aa37, 0x8ef6_0883, 0x7a7b_2e97,
        0x6a2a_8d95, 0x65dd_9b5f, 0xb0c9_bce7, 0xb7cd_7479, 0xbdd6_2177, 0x0246_66d9, 0xf5b8_64c3, 0x7f64_6a75, 0xf053_ece3, 0x8146_d833,
        0x0aac_73cf, 0x9bec_607f, 0xa8ef_16e3, 0xf874_896f, 0x12fe_7035, 0xd2cc_fefb, 0xf33c_5b2d, 0x37b2_ed2b, 0x5a0f_3029, 0xf5bc_7a7f,
        0x936d_a53b, 0xd60c_82c3, 0x0a4a_e78d, 0x3769_dd39, 0x2558_b6f7, 0xea4e_b601, 0x33dc_458f, 0x153d_adc1, 0x7729_0f1d, 0x5d76_c001,
        0xfe81_2b5f, 0xa35a_b527, 0x9ed4_b061, 0xe2af_2ea1, 0xe1c4_34c5, 0x12a4_faf9, 0x07e5_ee13, 0x4fab_d6ef, 0x4358_085f, 0x45ae_54d3,
        0xa5d9_6e3b, 0x5a41_6721, 0x4498_88c3, 0xe391_eead, 0x645b_17d5, 0x9e06_0e67, 0xe4c0_e6c5, 0xd6ab_b993, 0x9403_df35, 0xea27_2e6b,
        0x082c_f497, 0xcf19_1cf5, 0xf62d_afa7, 0xeb54_f1ad, 0x0c52_3de7, 0x05a4_515b, 0xadf3_7387, 0xcdd5_3e33, 0xd720_6079, 0x596c_ae7b,
        0x9803_ff53, 0x0e85_adbf, 0x85b6_6033, 0x9a5b_d717, 0x2d96_770f, 0x34de_da17, 0xc589_413f, 0x521a_bfbd, 0x8efa_279f, 0x5282_ae2b,
        0x4199_2041, 0x6e11_ec11, 0x455f_ca73, 0xdd99_06e7, 0x700b_14a9, 0x62e3_89cb, 0x0fb7_a34f, 0xeb8f_e789, 0x6f4b_3fa1, 0xc041_f789,
        0x6aeb_e4e9, 0xe260_59e3, 0x84f9_66b3, 0x4ae5_961b, 0xb4fa_1b51, 0xfe93_d2df, 0x0d0e_5b35, 0xe617_11fb, 0x5630_97ed, 0x095a_7331,
        0xdaab_2697, 0xb82d_7187, 0x982a_9c69, 0x8058_765b, 0x8ac8_fcd9, 0x3cd1_9d4f, 0x6a02_ddb7, 0x473e_76b9, 0x11dc_be47, 0x58b0_9571,
        0x54c5_180d, 0x82f0_64b9, 0xf47b_3dcb, 0x4e03_2371, 0x59c2_db3b, 0x091c_ddd3, 0x301b_be9b, 0x6251_b0a5, 0xc080_839d, 0x8b6e_231d,
        0x6f76_bb67, 0x7a0f_273b, 0x7494_cb97, 0xf8ca_7077, 0xadd6_9441, 0x653d_74bd, 0x0169_7399, 0x4c4a_fb37, 0x3a88_b0c9, 0xb8a2_6e29,
        0x8aad_e435, 0x566b_11ab, 0xf11f_8d91, 0xf5ca_89cd, 0x4463_92b5, 0x3506_6d8d, 0x8553_806f, 0x4ec2_9233, 0xd51b_c091, 0xfa41_1d67,
        0x44fe_e6bb, 0xcb35_1f73, 0x1959_9a45, 0xe969_ac71, 0xa7a0_61f5, 0x46bb_8345, 0x9044_d1d9, 0x17e0_7531, 0xfaf7_4f6d, 0x6f5b_ee43,
        0xd88b_fc43, 0x2531_22cf, 0x70e3_4c7b, 0xad22_26e5, 0x9056_bf4d, 0xc2c0_8be5, 0x5ca1_6383, 0xa4d8_4c4d, 0x5598_7623, 0x7dcd_8cd3,
        0x45b0_9f1f, 0x94a1_7e81, 0xb2dd_cc33, 0xd476_39e7, 0x021c_9ac5, 0x558f_12f5, 0x32b4_3235, 0xc6d0_0949, 0xf71d_f239, 0xf463_59b3,
        0xe269_f997, 0xcc59_0947, 0xb3a9_5f2b, 0xa2ec_8a57, 0x73d1_f2c5, 0xfd54_de57, 0x3a0f_a215, 0x8840_1e89, 0xba01_cead, 0x2c09_53cd,
        0x9061_aa39, 0x1839_6191, 0x4d20_9f11, 0xac48_a0e9, 0x89ec_c5a7, 0x5fe9_a64f, 0x1eb2_01ff, 0x3d83_784b, 0x42cc_cf7d, 0xe3d9_36b7,
        0x10a2_cb53, 0xcc9f_f7cd, 0xc915_d4d3, 0xab73_0e43, 0xf31d_7207, 0xabd6_a7bb, 0x069a_175f, 0x420f_d95d, 0xc4b2_6eef, 0xe210_4061,
        0x11bb_e1f3, 0xb176_1ef7, 0x1706_12a5, 0x0ff8_badf, 0x3f93_c3a1, 0x9755_6fb1, 0x6304_7439, 0x7f41_5c2d, 0x3920_71cb, 0xaf0c_7cf9,
        0x732f_3e91, 0xc49c_483b, 0x049f_57b3, 0x46dd_e1c3, 0x44c8_a3d3, 0x59ef_a6b3, 0xecbf_68cb, 0x42a3_f779, 0x1c04_6ea5, 0xcab3_c3a3,
        0x9439_766d, 0xe5ce_84bf, 0x3694_7a89, 0x6daa_9c79, 0xbd3f_965d, 0xcc21_b6db, 0x228b_063d, 0x3710_f505, 0xf0d8_fec3, 0x4605_155b,
        0x0c66_2461, 0xad3a_8f8b, 0xbcb1_1f1f, 0x3c14_63a9, 0x4273_acb7, 0x1260_ccd9, 0xefcf_20db, 0x7736_3a4d, 0xa2e8_2343, 0x0f29_4ddd,
        0xbd88_99b5, 0xdd60_b2fb, 0x39f3_eb07, 0x6de2_8cc5, 0x1f65_d7c9, 0x4a4f_5d6b, 0x7e30_7ebf, 0x283c_3c73, 0xaa26_ef0d, 0x1d08_9eb1,
        0xab1b_d097, 0xfbc8_2b1f, 0xe6b8_e323, 0x741d_bc69, 0x2a47_467f, 0xb395_0ed7, 0x598f_b82f, 0xb399_b5d7, 0x367c_74c1, 0xf241_f1ed,
        0x5c05_9d39, 0xf86d_15c3, 0x5b7b_b3cb, 0xe9f7_623d, 0x2759_f893, 0xf44f_34ed, 0x3ef8_f963, 0xdce0_110d, 0x51e0_c693, 0xedcf_041b,
        0xfc0d_6df5, 0x75c6_604f, 0x5ee8_d4d3, 0x99c6_3403, 0x65e6_a6bf, 0x0207_87d5, 0x149b_9935, 0xca2a_d5fb, 0x4062_c621, 0xe0e6_3bcf,
    ];

    struct Lcg(u64);

    impl Lcg {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 33) % n as u64) as usize
        }
    }

    /// Keys with many ties: random ones with few values, constant, rising,
    /// falling, rising and falling, periodic, and nearly sorted.
    fn keys(n: usize, shape: usize) -> Vec<usize> {
        let mut random = Lcg((n * 1_000 + shape) as u64);
        let key = |i: usize| match shape {
            0..=4 => random.below([2, 3, 4, 7, 12][shape]),
            5 => random.below(n),
            6 => 0,
            7 => i / 3,
            8 => (n - i) / 3,
            9 => i.min(n - i) / 2,
            10 => i % 5,
            _ if random.below(16) == 0 => random.below(n),
            _ => i / 2,
        };
        (0..n).map(key).collect()
    }

    fn hash(hash: u32, value: usize) -> u32 {
        (hash ^ value as u32).wrapping_mul(16_777_619)
    }

    fn sorted_places(keys: &[usize]) -> Vec<usize> {
        let mut places: Vec<usize> = (0..keys.len()).collect();
        go_sort(&mut places, |&x, &y| keys[x] < keys[y]);
        places
    }

    #[test]
    fn ties_fall_as_in_go() {
        for (n, expected) in (1..=300).zip(GO) {
            let places = (0..12).flat_map(|shape| sorted_places(&keys(n, shape)));
            assert_eq!(places.fold(2_166_136_261, hash), expected, "{n} elements");
        }
    }

    /// An adversary: decides while it is asked what the keys are, so
    /// that every pivot is a bad one. It also pins the order of the questions.
    fn worst_keys(n: usize) -> Vec<usize> {
        let mut keys = vec![n; n];
        let (mut candidate, mut solid) = (0, 0);
        let mut items: Vec<usize> = (0..n).collect();
        go_sort(&mut items, |&x, &y| {
            if keys[x] == n && keys[y] == n {
                keys[if y == candidate { y } else { x }] = solid;
                solid += 1;
            }
            if keys[x] == n {
                candidate = x;
            } else if keys[y] == n {
                candidate = y;
            }
            keys[x] < keys[y]
        });
        keys
    }

    #[test]
    fn the_worst_input_ends_in_heapsort_as_in_go() {
        for (n, expected_keys, expected_places) in
            [(100, 0xa594_7ee4, 0xe6d9_68e3), (1_000, 0x27f6_b23e, 0x87c1_2699), (5_000, 0x0fb6_d6c8, 0x1d5d_0d67)]
        {
            let keys = worst_keys(n);
            assert_eq!(keys.iter().copied().fold(2_166_136_261, hash), expected_keys, "{n} elements");
            let tied: Vec<usize> = keys.iter().map(|key| key / 3).collect();
            assert_eq!(sorted_places(&tied).into_iter().fold(2_166_136_261, hash), expected_places, "{n} elements");
        }
    }

    #[test]
    fn nothing_and_little_are_sorted() {
        for (mut items, expected) in [(vec![], vec![]), (vec![1], vec![1]), (vec![2, 1], vec![1, 2])] {
            go_sort(&mut items, |x, y| x < y);
            assert_eq!(items, expected);
        }
    }
}
