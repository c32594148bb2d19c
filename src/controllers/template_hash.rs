//! Names that depend on a template.

use crate::api::PodTemplate;

const LETTERS: &[u8; 27] = b"2456789bcdfghjklmnpqrstvwxz";

/// A stand-in for upstream's hash of a template, which depends on how Go
/// prints structures: another template or another count of collisions gives
/// other letters.
pub(super) fn letters(template: &PodTemplate, collisions: i32, count: usize) -> String {
    let mut hash = (template.raw.digest() ^ collisions as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut name = String::with_capacity(count);
    for _ in 0..count {
        name.push(letter(hash >> 8));
        hash /= 27;
    }
    name
}

/// The letter that stands for a number.
pub(super) fn letter(n: u64) -> char {
    char::from(LETTERS[(n % 27) as usize])
}
