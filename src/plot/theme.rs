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

/// The colours of a theme.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    pub(super) background: Rgb,
    /// Behind the lines, so that a plot stands out from the page.
    pub(super) plot: Rgb,
    pub(super) text: Rgb,
    pub(super) muted: Rgb,
    pub(super) grid: Rgb,
    /// The edges of the allowed band, and the band itself.
    pub(super) band: Rgb,
    pub(super) band_fill: Rgb,
    /// The lines of actions.
    pub(super) action: Rgb,
    pub(super) available: Rgb,
    pub(super) ready: Rgb,
    pub(super) on_node: Rgb,
    /// Pods that requests go to, and those of them that do not answer.
    pub(super) routable: Rgb,
    pub(super) dead: Rgb,
    /// What becomes of requests.
    pub(super) served: Rgb,
    pub(super) errors: Rgb,
    pub(super) shed: Rgb,
    pub(super) refused: Rgb,
    /// Revisions without a colour of their own.
    pub(super) older: Rgb,
    /// Pods on nodes that are going.
    pub(super) terminating: Rgb,
    /// Conditions: fine, under way, and wrong.
    pub(super) good: Rgb,
    pub(super) busy: Rgb,
    pub(super) bad: Rgb,
    /// Text on what is wrong.
    pub(super) on_bad: Rgb,
    /// How much of the background is in the colour of a revision's area, in
    /// hundredths.
    pub(super) area_mix: u32,
    /// The same for its pods that are not ready.
    pub(super) pale_mix: u32,
}

impl Theme {
    pub(super) fn look(self) -> Look {
        match self {
            Theme::Light => LIGHT,
            Theme::Dark => DARK,
        }
    }
}

impl Look {
    /// The colour of text on an area of some colour.
    pub(super) fn text_on(&self, area: Rgb) -> Rgb {
        let bright = |c: Rgb| 299 * u32::from(c.0) + 587 * u32::from(c.1) + 114 * u32::from(c.2);
        let (mine, other) = (bright(self.text), bright(self.background));
        let distance = |b: u32| b.abs_diff(bright(area));
        if distance(mine) >= distance(other) { self.text } else { self.background }
    }
}

const LIGHT: Look = Look {
    background: Rgb(0xFF, 0xFF, 0xFF),
    plot: Rgb(0xFB, 0xFC, 0xFD),
    text: Rgb(0x1B, 0x1F, 0x24),
    muted: Rgb(0x57, 0x60, 0x6A),
    grid: Rgb(0xE3, 0xE7, 0xEB),
    band: BLUE,
    band_fill: Rgb(0xE4, 0xF0, 0xF8),
    action: Rgb(0x57, 0x60, 0x6A),
    available: Rgb(0x11, 0x14, 0x18),
    ready: Rgb(0x9A, 0x4C, 0x86),
    on_node: VERMILLION,
    routable: Rgb(0x00, 0x7A, 0x5A),
    dead: Rgb(0xB0, 0x1F, 0x00),
    served: Rgb(0xB9, 0xDD, 0xF2),
    errors: Rgb(0xC0, 0x5F, 0x97),
    shed: Rgb(0xF0, 0xC2, 0x4B),
    refused: Rgb(0xC8, 0x3C, 0x00),
    older: Rgb(0x8F, 0x9F, 0xB3),
    terminating: Rgb(0xC9, 0xCF, 0xD6),
    good: Rgb(0xBF, 0xE5, 0xDA),
    busy: Rgb(0xCB, 0xE5, 0xF6),
    bad: VERMILLION,
    on_bad: Rgb(0xFF, 0xFF, 0xFF),
    area_mix: 30,
    pale_mix: 76,
};

const DARK: Look = Look {
    background: Rgb(0x0D, 0x11, 0x17),
    plot: Rgb(0x12, 0x17, 0x1F),
    text: Rgb(0xE6, 0xED, 0xF3),
    muted: Rgb(0x9A, 0xA5, 0xB1),
    grid: Rgb(0x26, 0x2D, 0x36),
    band: SKY_BLUE,
    band_fill: Rgb(0x16, 0x2A, 0x38),
    action: Rgb(0xB4, 0xBE, 0xC9),
    available: Rgb(0xFF, 0xFF, 0xFF),
    ready: Rgb(0xF0, 0xA9, 0xD2),
    on_node: Rgb(0xFF, 0x8C, 0x42),
    routable: Rgb(0x3D, 0xD6, 0xA5),
    dead: Rgb(0xFF, 0x5A, 0x36),
    served: Rgb(0x1D, 0x4F, 0x70),
    errors: Rgb(0xE0, 0x8F, 0xBF),
    shed: Rgb(0xE6, 0xB4, 0x22),
    refused: Rgb(0xE8, 0x5D, 0x1C),
    older: Rgb(0x7A, 0x8C, 0xA3),
    terminating: Rgb(0x48, 0x51, 0x5C),
    good: Rgb(0x0F, 0x4A, 0x3B),
    busy: Rgb(0x16, 0x43, 0x5E),
    bad: Rgb(0xE0, 0x6A, 0x12),
    on_bad: Rgb(0x0D, 0x11, 0x17),
    area_mix: 24,
    pale_mix: 72,
};
