use crate::fixture;
use seatrial::plot::Window;
use seatrial::plot::summary::summary;
use seatrial::plot::text::{TextOptions, waveform};
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
    let text = waveform(&timeline, options);
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
    let coloured = waveform(&Timeline::of(&fixture::single()), &colour);
    check_golden("single-colour.txt", &coloured);
}
