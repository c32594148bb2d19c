//! A picture as a list of shapes, before it is known whether it becomes SVG
//! or PNG. Coordinates are whole pixels from the upper left corner.

use super::theme::Rgb;

/// A colour that lets some of what is below shine through.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Ink {
    pub(super) rgb: Rgb,
    /// From 0, not to be seen, to 1, opaque.
    pub(super) alpha: f64,
}

impl From<Rgb> for Ink {
    fn from(rgb: Rgb) -> Ink {
        Ink { rgb, alpha: 1.0 }
    }
}

impl Rgb {
    pub(super) fn with_alpha(self, alpha: f64) -> Ink {
        Ink { rgb: self, alpha }
    }

    /// This colour with so many hundredths of another.
    pub(super) fn mix(self, other: Rgb, hundredths: u32) -> Rgb {
        let one = |a: u8, b: u8| ((u32::from(a) * (100 - hundredths) + u32::from(b) * hundredths + 50) / 100) as u8;
        Rgb(one(self.0, other.0), one(self.1, other.1), one(self.2, other.2))
    }
}

/// A rectangle: left, top, right, bottom; right and bottom do not belong to
/// it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Area {
    pub(super) x0: i32,
    pub(super) y0: i32,
    pub(super) x1: i32,
    pub(super) y1: i32,
}

impl Area {
    pub(super) fn is_empty(&self) -> bool {
        self.x0 >= self.x1 || self.y0 >= self.y1
    }

    pub(super) fn overlaps(&self, other: &Area) -> bool {
        self.x0 < other.x1 && other.x0 < self.x1 && self.y0 < other.y1 && other.y0 < self.y1
    }
}

/// Which point of a text its position is, on the baseline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::struct_field_names, reason = "its text is its text")]
pub(super) struct Text {
    pub(super) x: i32,
    /// The baseline.
    pub(super) y: i32,
    pub(super) anchor: Anchor,
    /// Pixels per em.
    pub(super) size: i32,
    pub(super) bold: bool,
    pub(super) colour: Rgb,
    pub(super) text: String,
}

/// One thing to draw; later ones cover earlier ones.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    Rect(Area, Ink),
    /// A line of horizontal and vertical pieces, drawn in dashes and gaps of
    /// the given lengths if there are any.
    Line {
        points: Vec<(i32, i32)>,
        width: i32,
        dash: Option<(i32, i32)>,
        ink: Ink,
    },
    /// Rectangles side by side, drawn as one.
    Slabs(Vec<Area>, Ink),
    Dot {
        x: i32,
        y: i32,
        radius: i32,
        ink: Ink,
    },
    Text(Text),
}

/// A picture.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scene {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) background: Rgb,
    /// For readers who do not see the picture.
    pub(super) title: String,
    pub(super) description: String,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    pub(super) fn push(&mut self, shape: Shape) {
        self.shapes.push(shape);
    }

    pub(super) fn rect(&mut self, area: Area, ink: impl Into<Ink>) {
        if !area.is_empty() {
            self.push(Shape::Rect(area, ink.into()));
        }
    }

    /// A line of one pixel from one point to another that is right of or
    /// below it.
    pub(super) fn rule(&mut self, from: (i32, i32), to: (i32, i32), ink: impl Into<Ink>) {
        let across = i32::from(from.0 == to.0);
        let area = Area { x0: from.0, y0: from.1, x1: to.0 + across, y1: to.1 + 1 - across };
        self.rect(area, ink);
    }
}

/// The pieces of a line as pairs of ends, cut into dashes if it has any.
pub(super) fn dashes(points: &[(i32, i32)], dash: Option<(i32, i32)>) -> Vec<((i32, i32), (i32, i32))> {
    let pieces = points.windows(2).map(|p| (p[0], p[1]));
    let Some((on, off)) = dash.filter(|d| d.0 > 0 && d.1 > 0) else { return pieces.collect() };
    let (mut result, mut phase) = (Vec::new(), 0);
    for ((x0, y0), (x1, y1)) in pieces {
        let length = (x1 - x0).abs() + (y1 - y0).abs();
        let (dx, dy) = ((x1 - x0).signum(), (y1 - y0).signum());
        let mut at = 0;
        while at < length {
            let dashing = phase < on;
            let step = if dashing { on - phase } else { on + off - phase }.min(length - at);
            if dashing {
                let point = |n: i32| (x0 + dx * n, y0 + dy * n);
                result.push((point(at), point(at + step)));
            }
            at += step;
            phase = (phase + step) % (on + off);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_round_corners() {
        let points = [(0, 0), (10, 0), (10, 6)];
        assert_eq!(dashes(&points, None), [((0, 0), (10, 0)), ((10, 0), (10, 6))]);
        assert_eq!(dashes(&points, Some((4, 2))), [((0, 0), (4, 0)), ((6, 0), (10, 0)), ((10, 2), (10, 6))]);
    }

    #[test]
    fn colours_mix() {
        assert_eq!(Rgb(0, 100, 255).mix(Rgb(255, 255, 255), 0), Rgb(0, 100, 255));
        assert_eq!(Rgb(0, 100, 255).mix(Rgb(255, 0, 255), 50), Rgb(128, 50, 255));
    }
}
