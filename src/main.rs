#![allow(clippy::all)]
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let only = std::env::args().nth(2);
    let o = seatrial::conformance::Options { only, quiet: std::env::args().nth(3).is_some() };
    let s = seatrial::conformance::run(std::path::Path::new(&dir), &o, &mut std::io::stdout().lock()).unwrap();
    let _ = s;
}
