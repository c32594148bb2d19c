//! A scene as SVG.

use super::scene::{Anchor, Area, Ink, Scene, Shape, Text, dashes};
use crate::error::{Error, Problem};
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, RGBAColor, ShapeStyle, TextStyle};
use std::collections::BTreeSet;

/// The fonts that viewers try in turn, none wider than the one that the
/// layout was made for; and straight edges without blur, since all lines are
/// on whole pixels.
const STYLE: &str = "text{font-family:'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif}\
line,polyline,polygon,rect{shape-rendering:crispEdges}";

/// What viewers take that know no styles.
const FAMILY: FontFamily<'_> = FontFamily::SansSerif;

/// Plotters takes sizes as ascent and descent together and divides by this to
/// get pixels per em.
const EM: f64 = 1.24;

/// Where plotters puts the baseline of texts that hang from their top, in
/// hundredths of an em.
const BASELINE: i32 = 76;

/// Paints a scene; the same scene gives the same text.
///
/// # Errors
/// None that is known: a text in memory takes everything.
pub(super) fn paint(scene: &Scene) -> Result<String, Error> {
    let mut text = String::new();
    let size = (scene.width as u32, scene.height as u32);
    let mut backend = SVGBackend::with_string(&mut text, size);
    let everything = Area { x0: 0, y0: 0, x1: scene.width, y1: scene.height };
    let ground = Shape::Rect(everything, scene.background.into());
    let painted = std::iter::once(&ground)
        .chain(&scene.shapes)
        .try_for_each(|shape| draw(&mut backend, shape))
        .and_then(|()| Ok(backend.present()?));
    drop(backend);
    painted.map_err(|e| Problem::new(format!("the picture cannot be drawn: {e}")))?;
    Ok(with_description(&with_whole_sizes(text, scene), scene))
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(backend: &mut SVGBackend<'_>, shape: &Shape) -> Drawn {
    match shape {
        Shape::Rect(area, ink) => {
            backend.draw_rect((area.x0, area.y0), (area.x1, area.y1), &colour(*ink), true)?;
        }
        Shape::Line { points, width, dash: None, ink } => {
            backend.draw_path(points.iter().copied(), &stroke(*ink, *width))?;
        }
        Shape::Line { points, width, dash, ink } => {
            for (a, b) in dashes(points, *dash) {
                backend.draw_line(a, b, &stroke(*ink, *width))?;
            }
        }
        Shape::Slabs(slabs, ink) => backend.fill_polygon(outline(slabs), &colour(*ink))?,
        Shape::Dot { x, y, radius, ink } => {
            backend.draw_circle((*x, *y), *radius as u32, &colour(*ink), true)?;
        }
        Shape::Text(text) => draw_text(backend, text)?,
    }
    Ok(())
}

fn colour(ink: Ink) -> RGBAColor {
    RGBAColor(ink.rgb.0, ink.rgb.1, ink.rgb.2, ink.alpha)
}

fn stroke(ink: Ink, width: i32) -> ShapeStyle {
    ShapeStyle { color: colour(ink), filled: false, stroke_width: width as u32 }
}

/// The way around slabs that stand side by side: along their tops and back
/// along their bottoms.
fn outline(slabs: &[Area]) -> Vec<(i32, i32)> {
    let tops = slabs.iter().flat_map(|s| [(s.x0, s.y0), (s.x1, s.y0)]);
    let bottoms = slabs.iter().rev().flat_map(|s| [(s.x1, s.y1), (s.x0, s.y1)]);
    tops.chain(bottoms).collect()
}

fn draw_text(backend: &mut SVGBackend<'_>, text: &Text) -> Drawn {
    let weight = if text.bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = FontDesc::new(FAMILY, f64::from(text.size) * EM, weight);
    let h_pos = match text.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let colour = colour(text.colour.into());
    let style = TextStyle::from(font).color(&colour).pos(Pos::new(h_pos, VPos::Top));
    let top = text.y - (text.size * BASELINE + 50) / 100;
    Ok(backend.draw_text(&text.text, &style, (text.x, top))?)
}

/// Writes whole sizes as such, without the tail of digits that they get from
/// plotters' division.
fn with_whole_sizes(mut svg: String, scene: &Scene) -> String {
    let sizes: BTreeSet<i32> = scene
        .shapes
        .iter()
        .filter_map(|shape| if let Shape::Text(text) = shape { Some(text.size) } else { None })
        .collect();
    for size in sizes {
        let divided = f64::from(size) * EM / EM;
        svg = svg.replace(&format!("font-size=\"{divided}\""), &format!("font-size=\"{size}\""));
    }
    svg
}

/// Adds what screen readers read, and the style, after the opening tag.
fn with_description(svg: &str, scene: &Scene) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let (title, description) = (escape(&scene.title), escape(&scene.description));
    svg.replacen(
        "xmlns=\"http://www.w3.org/2000/svg\">\n",
        &format!(
            "xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">\n<title>{title}</title>\n<desc>{description}</desc>\n<style>{STYLE}</style>\n"
        ),
        1,
    )
}
