//! Colours that everybody can tell apart.

/// A colour: red, green and blue from 0 to 255.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// The colours of Okabe and Ito, made for colour-blind readers.
pub(super) const ORANGE: Rgb = Rgb(0xE6, 0x9F, 0x00);
pub(super) const SKY_BLUE: Rgb = Rgb(0x56, 0xB4, 0xE9);
pub(super) const GREEN: Rgb = Rgb(0x00, 0x9E, 0x73);
pub(super) const YELLOW: Rgb = Rgb(0xF0, 0xE4, 0x42);
pub(super) const BLUE: Rgb = Rgb(0x00, 0x72, 0xB2);
pub(super) const VERMILLION: Rgb = Rgb(0xD5, 0x5E, 0x00);
pub(super) const PURPLE: Rgb = Rgb(0xCC, 0x79, 0xA7);

/// The colour of the n-th revision that a picture shows; colours come again
/// after six.
pub(super) fn revision_colour(n: usize) -> Rgb {
    [SKY_BLUE, ORANGE, GREEN, PURPLE, YELLOW, BLUE][n % 6]
}

/// Paper or night.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// Dark on white.
    #[default]
    Light,
    /// Light on nearly black.
    Dark,
}

impl Theme {
    /// The theme of that name: `light` or `dark`.
    pub fn parse(name: &str) -> Option<Theme> {
        match name {
            "light" => Some(Theme::Light),
            "dark" => Some(Theme::Dark),
            _ => None,
        }
    }
}
