use crate::fixture;
use seatrial::plot::summary::summary;
use seatrial::plot::text::{TextOptions, waveform};
use seatrial::plot::{Format, PlotOptions, Theme, Window};
use seatrial::time::SimTime;
use seatrial::timeline::Timeline;
use seatrial::trace::Trace;
use std::fs;
use std::path::Path;

/// Compares with the file of that name under `tests/it/golden`, or rewrites
/// it if `UPDATE` is set.
fn check_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).expect("goldens can be written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "\n{text}\ndiffers from {name}; UPDATE=1 rewrites it");
}

fn draw(trace: &Trace, options: &TextOptions) -> String {
    let timeline = Timeline::of(trace);
    let text = waveform(trace, &timeline, options);
    for line in text.lines() {
        assert_eq!(line.trim_end(), line, "no blanks at a line's end");
        let long = line.chars().count() > options.width.max(40);
        assert!(!long || !line.contains('█'), "wider than {}: {line}", options.width);
    }
    format!("{text}\n{}", summary(&timeline, options.window))
}

#[test]
fn waveforms_agree_with_their_goldens() {
    let plain = TextOptions::default();
    check_golden("rollout.txt", &draw(&fixture::rollout(), &plain));
    check_golden("stalled.txt", &draw(&fixture::stalled(), &plain));
    check_golden("several.txt", &draw(&fixture::several(), &plain));
    check_golden("single.txt", &draw(&fixture::single(), &plain));
    let whole = TextOptions { window: Window::Whole, width: 60, ascii: true, ..plain };
    check_golden("rollout-ascii.txt", &draw(&fixture::rollout(), &whole));
    let window = Window::Between(SimTime::from_secs(70), SimTime::from_secs(90));
    check_golden("rollout-part.txt", &draw(&fixture::rollout(), &TextOptions { window, ..plain }));
    let colour = TextOptions { colour: true, ..plain };
    let coloured = waveform(&fixture::single(), &Timeline::of(&fixture::single()), &colour);
    check_golden("single-colour.txt", &coloured);
}

/// Draws all fixtures into the folder that `PICTURES` names, for looking at.
#[test]
fn pictures_for_the_eye() {
    let Some(folder) = std::env::var_os("PICTURES") else { return };
    let folder = Path::new(&folder);
    for (name, trace) in fixture::all() {
        for (theme, width, suffix) in
            [(Theme::Light, 1_200, ""), (Theme::Dark, 1_200, "-dark"), (Theme::Light, 480, "-small")]
        {
            let options = PlotOptions { theme, width, ..PlotOptions::default() };
            for (format, end) in [(Format::Svg, "svg"), (Format::Png, "png")] {
                let bytes = seatrial::plot::draw(&trace, &Timeline::of(&trace), &options, format);
                let bytes = bytes.expect("it can be drawn");
                fs::write(folder.join(format!("{name}{suffix}.{end}")), bytes).expect("a folder");
            }
        }
    }
}

fn svg(trace: &Trace, options: &PlotOptions) -> String {
    seatrial::plot::draw_svg(trace, &Timeline::of(trace), options).expect("it can be drawn")
}

#[test]
fn svg_is_sound() {
    for (name, trace) in fixture::all() {
        let svg = svg(&trace, &PlotOptions::default());
        assert!(svg.starts_with("<svg width=\"1200\""), "{name}");
        assert!(svg.ends_with("</svg>\n") && svg.contains("<title>"), "{name}");
        for bad in ["NaN", "inf", "=\"-", " -", "\"\""] {
            let spaced = svg.replace(" - ", " ");
            assert!(!spaced.contains(bad), "{name} has {bad:?}");
        }
        assert!(svg.len() < 200_000, "{name} has {} bytes", svg.len());
        let (open, close) = (svg.matches("<text").count(), svg.matches("</text>").count());
        assert_eq!(open, close, "{name}");
    }
}

#[test]
fn names_from_users_are_escaped() {
    let title = Some("<script>&\"'".to_string());
    let svg = svg(&fixture::single(), &PlotOptions { title, ..PlotOptions::default() });
    assert!(!svg.contains("<script>"));
    assert!(svg.contains("&lt;script&gt;&amp;"));
}

#[test]
fn pictures_are_the_same_each_time() {
    let trace = fixture::rollout();
    let timeline = Timeline::of(&trace);
    for format in [Format::Svg, Format::Png] {
        let draw = || seatrial::plot::draw(&trace, &timeline, &PlotOptions::default(), format);
        let (a, b) = (draw(), draw());
        assert_eq!(a, b);
    }
}

#[cfg(feature = "png")]
#[test]
fn png_has_the_size_that_was_asked_for() {
    let trace = fixture::single();
    let timeline = Timeline::of(&trace);
    let options = PlotOptions { width: 600, height: Some(500), scale: 1, ..PlotOptions::default() };
    let png = seatrial::plot::draw(&trace, &timeline, &options, Format::Png).expect("it fits");
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
    assert_eq!((number(16), number(20)), (600, 500));
    let huge = PlotOptions { width: 10_000, height: Some(20_000), ..options };
    let error = seatrial::plot::draw(&trace, &timeline, &huge, Format::Png).expect_err("too large");
    assert!(error.to_string().contains("is too large"), "{error}");
}
