//! A scene as PNG.

use super::scene::{Anchor, Area, Ink, Scene, Shape, Text, dashes};
use crate::error::{Error, Problem};
use ab_glyph::{Font, FontRef, Glyph, GlyphId, PxScale, ScaleFont, point};
use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::style::{Color, RGBAColor};

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans-Bold.ttf");

/// The most pixels a picture may have: 300 MB of colours.
const MOST_PIXELS: u64 = 100_000_000;

/// Paints a scene with `scale` pixels for each of its own; the same scene
/// gives the same bytes.
///
/// # Errors
/// If the picture would have more than a hundred million pixels.
pub(super) fn paint(scene: &Scene, scale: u32) -> Result<Vec<u8>, Error> {
    let (width, height) = (scene.width as u32 * scale, scene.height as u32 * scale);
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        let message = format!("a picture of {width} times {height} pixels is too large");
        return Err(Problem::new(message).with_hint("ask for a smaller scale").into());
    }
    let mut pixels = vec![0; width as usize * height as usize * 3];
    draw_all(scene, scale as i32, &mut pixels, (width, height))
        .map_err(|e| Problem::new(format!("the picture cannot be drawn: {e}")))?;
    encode(&pixels, width, height).map_err(|e| Problem::new(format!("the picture cannot be encoded: {e}")).into())
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn draw_all(scene: &Scene, scale: i32, pixels: &mut [u8], size: (u32, u32)) -> Result<(), Box<dyn std::error::Error>> {
    let mut canvas = Canvas {
        backend: BitMapBackend::with_buffer(pixels, size),
        scale,
        regular: FontRef::try_from_slice(REGULAR)?,
        bold: FontRef::try_from_slice(BOLD)?,
    };
    let everything = Area { x0: 0, y0: 0, x1: scene.width, y1: scene.height };
    canvas.rect(everything, scene.background.into())?;
    for shape in &scene.shapes {
        canvas.draw(shape)?;
    }
    canvas.backend.present()?;
    Ok(())
}

struct Canvas<'a> {
    backend: BitMapBackend<'a>,
    scale: i32,
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

impl Canvas<'_> {
    fn draw(&mut self, shape: &Shape) -> Drawn {
        match shape {
            Shape::Rect(area, ink) => self.rect(*area, *ink),
            Shape::Line { points, width, dash, ink } => {
                for piece in dashes(points, *dash) {
                    self.piece(piece, *width, *ink)?;
                }
                Ok(())
            }
            Shape::Slabs(slabs, ink) => slabs.iter().try_for_each(|s| self.rect(*s, *ink)),
            Shape::Dot { x, y, radius, ink } => {
                let centre = (*x * self.scale, *y * self.scale);
                let radius = (*radius * self.scale) as u32;
                Ok(self.backend.draw_circle(centre, radius, &colour(*ink), true)?)
            }
            Shape::Text(text) => self.text(text),
        }
    }

    /// A rectangle. Plotters' own blending of rectangles swaps colours, so
    /// what is not opaque is blended pixel by pixel.
    fn rect(&mut self, area: Area, ink: Ink) -> Drawn {
        let s = self.scale;
        self.fill((area.x0 * s, area.y0 * s), (area.x1 * s, area.y1 * s), ink)
    }

    fn fill(&mut self, from: (i32, i32), to: (i32, i32), ink: Ink) -> Drawn {
        if ink.alpha >= 1.0 {
            return Ok(self.backend.draw_rect(from, to, &colour(ink), true)?);
        }
        let colour = colour(ink).to_backend_color();
        for y in from.1..to.1 {
            for x in from.0..to.0 {
                self.backend.draw_pixel((x, y), colour)?;
            }
        }
        Ok(())
    }

    /// A horizontal or vertical piece of a line as a rectangle around it, so
    /// that its edges are sharp and pieces meet in square corners.
    fn piece(&mut self, (a, b): ((i32, i32), (i32, i32)), width: i32, ink: Ink) -> Drawn {
        let s = self.scale;
        let thick = width * s;
        let before = thick / 2;
        let low = |p: i32, q: i32| p.min(q) * s - before;
        let high = |p: i32, q: i32| p.max(q) * s - before + thick;
        self.fill((low(a.0, b.0), low(a.1, b.1)), (high(a.0, b.0), high(a.1, b.1)), ink)
    }

    fn text(&mut self, text: &Text) -> Drawn {
        let font = if text.bold { self.bold.clone() } else { self.regular.clone() };
        let em = (text.size * self.scale) as f32;
        // The scale of a font is its height from ascent to descent.
        let height = font.height_unscaled() / font.units_per_em().unwrap_or(2048.0) * em;
        let scaled = font.as_scaled(PxScale::from(height));
        let ids: Vec<GlyphId> = text.text.chars().map(|c| font.glyph_id(c)).collect();
        let width: f32 = ids.iter().map(|&id| scaled.h_advance(id)).sum();
        let start = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        };
        let mut x = (text.x * self.scale) as f32 - start;
        let y = (text.y * self.scale) as f32;
        for id in ids {
            let glyph = Glyph { id, scale: scaled.scale(), position: point(x, y) };
            x += scaled.h_advance(id);
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                let (left, top) = (corner.x as i32, corner.y as i32);
                let mut drawn = Ok(());
                outline.draw(|dx, dy, cover| {
                    let ink = text.colour.with_alpha(f64::from(cover.clamp(0.0, 1.0)));
                    let at = (left + dx as i32, top + dy as i32);
                    if drawn.is_ok() && cover > 0.0 {
                        drawn = self.backend.draw_pixel(at, colour(ink).to_backend_color());
                    }
                });
                drawn?;
            }
        }
        Ok(())
    }
}

fn colour(ink: Ink) -> RGBAColor {
    RGBAColor(ink.rgb.0, ink.rgb.1, ink.rgb.2, ink.alpha)
}
