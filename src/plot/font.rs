//! How wide texts are, without a font at hand.
//!
//! The widths are those of DejaVu Sans, which is wider than most: where a
//! reader's SVG viewer takes another font, texts get shorter and still fit.

/// Widths of the characters from space to tilde in thousandths of an em.
const REGULAR: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
];

const BOLD: [u16; 95] = [
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696,
    696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 372, 775, 637, 995,
    837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771, 724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716,
    678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712,
    365, 712, 838,
];

/// The width of a text in pixels, rounded up.
pub(super) fn width(text: &str, size: i32, bold: bool) -> i32 {
    let table = if bold { &BOLD } else { &REGULAR };
    let thousandths: u64 = text.chars().map(|c| u64::from(character(c, table))).sum();
    (thousandths * size.max(0) as u64).div_ceil(1_000) as i32
}

/// Beyond ASCII only a guess: letters of the West, and the square signs of
/// the East.
fn character(c: char, table: &[u16; 95]) -> u16 {
    match (c as u32).checked_sub(0x20) {
        Some(i) if i < 95 => table[i as usize],
        _ if (c as u32) >= 0x1100 => 1_000,
        _ => 750,
    }
}

/// The text itself if it is no wider than `room`, or else its beginning and
/// an ellipsis; nothing if not even three characters fit.
pub(super) fn fit(text: &str, size: i32, bold: bool, room: i32) -> String {
    if width(text, size, bold) <= room {
        return text.to_string();
    }
    let mut short: Vec<char> = text.chars().collect();
    while short.len() > 3 {
        short.pop();
        let with_dots: String = short.iter().chain(&['…']).collect();
        if width(&with_dots, size, bold) <= room {
            return with_dots;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_grow_with_size_and_weight() {
        assert_eq!(width("", 20, false), 0);
        assert_eq!(width("ready", 10, false), 29);
        assert_eq!(width("ready", 20, false), 58);
        assert!(width("ready", 20, true) > width("ready", 20, false));
        assert_eq!(width("漢字", 10, false), 20);
    }

    #[test]
    fn long_texts_are_cut() {
        let room = width("set image…", 12, false);
        assert_eq!(fit("set image", 12, false, room), "set image");
        assert_eq!(fit("set image deployment/web", 12, false, room), "set image…");
        assert_eq!(fit("set image", 12, false, 5), "");
    }
}
