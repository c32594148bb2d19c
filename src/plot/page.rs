//! A whole picture: titles, the parts of each workload, and the axis of time.

use super::ground::Ground;
use super::ground_panel::GroundPanel;
use super::lane_panel::LanePanel;
use super::lanes::{Story, chart, question};
use super::load_panel::LoadPanel;
use super::node_lanes::NodeLanes;
use super::node_panel::NodePanel;
use super::panel::{NORMAL, Panel, SMALL, text, tick_step};
use super::scale::Across;
use super::scene::{Anchor, Scene, Shape, Text};
use super::theme::Look;
use super::{Picture, PlotOptions, Run, axis, clock_band, font, headline, load_text, name_of};
use crate::api::Kind;
use crate::time::SimTime;
use crate::timeline::{ActionMark, Lives, NodeLoad, Timeline};
use crate::trace::Trace;

/// Distances in pixels.
const LEFT: i32 = 96;
const RIGHT: i32 = 158;
const EDGE: i32 = 24;
const TITLE: i32 = 96;
const AXIS: i32 = 56;
const PANEL_TITLE: i32 = 26;
const BETWEEN: i32 = 26;
/// Between the lanes of a workload and its plot.
const WITHIN: i32 = 14;

/// The heights of plots: what they have at least and what they get if nobody
/// says how high the picture shall be.
const LOWEST: i32 = 60;
const ALONE: i32 = 445;
const TOGETHER: i32 = 170;
/// A workload and its Service.
const PAIR: i32 = 240;

/// What is drawn of a workload, from top to bottom.
struct Part<'a> {
    lanes: Option<LanePanel>,
    plot: Option<Panel<'a>>,
    load: Option<LoadPanel<'a>>,
    ground: Option<GroundPanel>,
    nodes: Option<NodePanel>,
    name: String,
    headline: String,
}

impl<'a> Part<'a> {
    fn new(
        story: Story<'a>,
        index: usize,
        across: Across,
        edge: i32,
        look: Look,
        options: &PlotOptions,
        slim: bool,
    ) -> Part<'a> {
        let workload = &story.timeline.workloads()[index];
        match options.picture {
            Picture::Capacity => return Part::of_capacity(story.timeline, across, edge, options),
            Picture::Nodes => return Part::of_nodes(story.trace, story.timeline, across, edge, options),
            Picture::Zones => return Part::of_zones(story.timeline, index, across, edge, options),
            _ => {}
        }
        let question = question(options.picture, workload.kind);
        let lanes =
            question.map(|question| LanePanel::new(chart(story, index, question), workload, across, edge, look));
        // Lanes say what became of each pod; how many were available is a
        // question of workloads that want to be.
        let both = options.picture == Picture::Auto && matches!(workload.kind, Kind::StatefulSet | Kind::DaemonSet);
        let plot = (lanes.is_none() || both).then(|| {
            let panel = Panel::new(workload, across, edge, look, slim || both);
            if both { panel.without_legend() } else { panel }
        });
        let end = options.window.told_until(story.timeline, across.end());
        let plain = || headline(workload, across.from, end);
        Part {
            headline: lanes.as_ref().map_or_else(plain, |lanes| lanes.headline(workload, end)),
            name: name_of(story.timeline, workload),
            lanes,
            plot,
            load: None,
            ground: None,
            nodes: None,
        }
    }

    /// The part of a Service.
    fn of_service(
        timeline: &'a Timeline,
        index: usize,
        across: Across,
        edge: i32,
        options: &PlotOptions,
        labelled: bool,
    ) -> Part<'a> {
        let service = &timeline.services()[index];
        let told = options.window.told_until(timeline, across.end());
        Part {
            lanes: None,
            plot: None,
            load: Some(LoadPanel::new(timeline, service, across, edge, options.theme.look(), labelled)),
            name: service.path(),
            headline: load_text::headline(service, across.from, told),
            ground: None,
            nodes: None,
        }
    }

    fn of_ground(
        name: String,
        ground: Ground,
        actions: &[ActionMark],
        across: Across,
        edge: i32,
        look: Look,
    ) -> Part<'a> {
        let ground = GroundPanel::new(ground, actions.to_vec(), across, edge, look);
        let headline = ground.headline().to_string();
        Part { lanes: None, plot: None, load: None, ground: Some(ground), nodes: None, name, headline }
    }

    /// What the machines offer and what is asked of them.
    fn of_capacity(timeline: &Timeline, across: Across, edge: i32, options: &PlotOptions) -> Part<'a> {
        let told = options.window.told_until(timeline, across.end());
        let ground = Ground::capacity(timeline, (across.from, across.end()), told);
        Part::of_ground("capacity".to_string(), ground, &timeline.actions, across, edge, options.theme.look())
    }

    /// A lane for each node.
    fn of_nodes(trace: &Trace, timeline: &Timeline, across: Across, edge: i32, options: &PlotOptions) -> Part<'a> {
        let told = options.window.told_until(timeline, across.end());
        let nodes = NodeLanes::of(trace, timeline, (across.from, across.end()), told);
        let nodes = NodePanel::new(nodes, timeline.actions.clone(), across, edge, options.theme.look());
        let (name, headline) = ("nodes".to_string(), nodes.headline().to_string());
        Part { lanes: None, plot: None, load: None, ground: None, nodes: Some(nodes), name, headline }
    }

    /// A workload's pods by zone.
    fn of_zones(timeline: &Timeline, index: usize, across: Across, edge: i32, options: &PlotOptions) -> Part<'a> {
        let workload = &timeline.workloads()[index];
        let told = options.window.told_until(timeline, across.end());
        let ground = Ground::zones(timeline, workload, (across.from, across.end()), told);
        let name = format!("{} by zone", name_of(timeline, workload));
        Part::of_ground(name, ground, workload.actions(), across, edge, options.theme.look())
    }

    /// The same with the name of its run, if it has one.
    fn of_run(self, run: &Run<'_>) -> Part<'a> {
        let name = if run.name.is_empty() { self.name } else { format!("{}: {}", run.name, self.name) };
        Part { name, ..self }
    }

    /// What it adds to the workload above it.
    const fn is_beside(&self) -> bool {
        self.load.is_some() || self.ground.is_some() || self.nodes.is_some()
    }

    /// Plots that are compared have one scale.
    fn on_one_scale(parts: &mut [Part<'_>], compared: bool) {
        let most = parts.iter().filter_map(|p| p.plot.as_ref()).map(Panel::top_value).max();
        let at_once = parts.iter().filter_map(|p| p.lanes.as_ref()).map(LanePanel::most_counted).max();
        let load = parts.iter().filter_map(|p| p.load.as_ref()).map(LoadPanel::top_value).max();
        for part in parts.iter_mut().filter(|_| compared) {
            if let (Some(panel), Some(load)) = (&mut part.load, load) {
                panel.set_top(load);
            }
            if let (Some(plot), Some(most)) = (&mut part.plot, most) {
                plot.set_top(most);
            }
            if let (Some(lanes), Some(most)) = (&mut part.lanes, at_once) {
                lanes.set_most_counted(most);
            }
        }
    }

    /// The height of everything but the plot.
    fn fixed(&self) -> i32 {
        if let Some(ground) = &self.ground {
            return ground.height();
        }
        if let Some(nodes) = &self.nodes {
            return nodes.height();
        }
        let lanes = self.lanes.as_ref().map_or(0, LanePanel::height);
        let between = if self.lanes.is_some() && self.plot.is_some() { WITHIN } else { 0 };
        let load = self.load.as_ref().map_or(0, LoadPanel::chrome);
        lanes + between + self.plot.as_ref().map_or(0, Panel::chrome) + load
    }

    /// Draws from `top` on and says where it ends.
    fn draw(&self, scene: &mut Scene, mut top: i32, plot_height: i32) -> i32 {
        if let Some(load) = &self.load {
            return load.draw(scene, top, plot_height);
        }
        if let Some(ground) = &self.ground {
            ground.draw(scene, top);
            return top + ground.height();
        }
        if let Some(nodes) = &self.nodes {
            nodes.draw(scene, top);
            return top + nodes.height();
        }
        if let Some(lanes) = &self.lanes {
            lanes.draw(scene, top);
            top += lanes.height();
        }
        let Some(plot) = &self.plot else { return top };
        if self.lanes.is_some() {
            top += WITHIN;
        }
        let area = plot.draw(scene, top, plot_height);
        top + plot.chrome() + area.y1 - area.y0
    }
}

/// Lays the picture of one run out.
pub(super) fn scene(trace: &Trace, timeline: &Timeline, options: &PlotOptions) -> Scene {
    let window = options.window.of(timeline);
    side_by_side(&[Run { name: "", trace, timeline }], window, options)
}

/// How many panels a run has beside those of Services: capacity is that of all
/// workloads together.
fn panels_of(run: &Run<'_>, options: &PlotOptions) -> usize {
    let workloads = run.timeline.workloads().len();
    match options.picture {
        Picture::Capacity | Picture::Nodes => workloads.min(1),
        Picture::Load => 0,
        _ => workloads,
    }
}

/// Whether Services are drawn.
const fn has_load(options: &PlotOptions) -> bool {
    matches!(options.picture, Picture::Auto | Picture::Load)
}

/// How many panels a run has beside those of workloads: those of Services, and
/// those of zones and machines that tell something without being asked.
fn beside_of(run: &Run<'_>, options: &PlotOptions, shown: usize) -> usize {
    let services = if has_load(options) { run.timeline.services().len() } else { 0 };
    if options.picture != Picture::Auto {
        return services;
    }
    let zones = run.timeline.workloads().iter().take(shown).filter(|w| w.tells_zones(run.timeline)).count();
    services + zones + usize::from(run.timeline.capacity().tells()) + usize::from(tells_nodes(run))
}

/// Whether lanes of nodes tell something without being asked.
fn tells_nodes(run: &Run<'_>) -> bool {
    !run.timeline.workloads().is_empty() && run.timeline.nodes().iter().any(NodeLoad::tells)
}

/// The parts of a run, with at most so many workloads.
fn parts_of<'a>(
    run: &Run<'a>,
    story: Story<'a>,
    across: Across,
    edge: i32,
    options: &PlotOptions,
    (most, slim): (usize, bool),
) -> Vec<Part<'a>> {
    let (look, auto, count) = (options.theme.look(), options.picture == Picture::Auto, panels_of(run, options));
    let mut parts = Vec::new();
    for i in 0..count.min(most) {
        let part = Part::new(story, i, across, edge, look, options, slim);
        let alone = count == 1 && !run.name.is_empty();
        parts.push(if alone { Part { name: run.name.to_string(), ..part } } else { part.of_run(run) });
        if auto && run.timeline.workloads()[i].tells_zones(run.timeline) {
            parts.push(Part::of_zones(run.timeline, i, across, edge, options).of_run(run));
        }
    }
    if has_load(options) {
        let service = |i: usize| Part::of_service(run.timeline, i, across, edge, options, count == 0).of_run(run);
        parts.extend((0..run.timeline.services().len()).map(service));
    }
    if auto && run.timeline.capacity().tells() {
        parts.push(Part::of_capacity(run.timeline, across, edge, options).of_run(run));
    }
    if auto && tells_nodes(run) {
        parts.push(Part::of_nodes(run.trace, run.timeline, across, edge, options).of_run(run));
    }
    parts
}

/// Lays the pictures of several runs out, one below the other on one axis.
pub(super) fn side_by_side(runs: &[Run<'_>], (from, to): (SimTime, SimTime), options: &PlotOptions) -> Scene {
    let look = options.theme.look();
    let width = options.width.clamp(480, 10_000) as i32;
    let across = Across { from, to, left: LEFT, right: width - RIGHT };
    let lives: Vec<Lives> = runs.iter().map(|r| Lives::of(r.trace, r.timeline)).collect();
    let wanted: usize = runs.iter().map(|run| panels_of(run, options)).sum();
    let shown = wanted.min(options.panels.clamp(1, 50).max(runs.len()));
    let beside: usize = runs.iter().map(|run| beside_of(run, options, shown)).sum();
    let (slim, more) = (shown + beside > 1, wanted - shown);
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (run, lives) in runs.iter().zip(&lives) {
        let story = Story { trace: run.trace, timeline: run.timeline, lives, from, to };
        // Each run gets the same share of the room.
        let most = if runs.len() > 1 { shown / runs.len() } else { shown };
        parts.extend(parts_of(run, story, across, width - EDGE, options, (most.max(1), slim)));
    }
    Part::on_one_scale(&mut parts, runs.len() > 1);
    let bands: i32 = runs.iter().map(|r| clock_band::height(r.timeline)).sum();
    let (height, plot) = heights(options, &parts, more > 0, bands);
    let timeline = runs.first().map(|r| r.timeline);
    let (title, mut subtitle) = titles(timeline, wanted, options, across, &parts);
    if runs.len() > 1 {
        subtitle = format!("{} variants on one axis, from {from} to {to}", runs.len());
    }
    let mut scene = Scene {
        width,
        height,
        background: look.background,
        title: title.clone(),
        description: subtitle.clone(),
        shapes: Vec::new(),
    };
    draw_titles(&mut scene, look, &title, &subtitle);
    if parts.is_empty() {
        let (x, y) = (width / 2, height / 2);
        let message = "nothing to draw: the trace has no workloads";
        scene.push(text(x, y, Anchor::Middle, 18, look.muted, message));
        return scene;
    }
    let mut top = TITLE;
    let mut bottom = top;
    for part in &parts {
        if slim {
            draw_panel_title(&mut scene, look, top, &part.name, &part.headline);
            top += PANEL_TITLE;
        }
        bottom = part.draw(&mut scene, top, plot);
        top = bottom + BETWEEN;
    }
    for run in runs {
        let band = clock_band::height(run.timeline);
        if band > 0 {
            clock_band::draw(&mut scene, run.timeline, across, bottom, look);
            bottom += band;
        }
    }
    let start = timeline.map(|t| t.start.to_string()).unwrap_or_default();
    draw_axis(&mut scene, look, across, bottom, &start);
    draw_more(&mut scene, look, more);
    scene
}

/// How many workloads there was no room for.
fn draw_more(scene: &mut Scene, look: Look, more: usize) {
    if more > 0 {
        let s = if more == 1 { "" } else { "s" };
        let message = format!("and {more} more workload{s}");
        scene.push(text(LEFT, scene.height - 14, Anchor::Start, NORMAL, look.muted, &message));
    }
}

/// The height of the picture and of each plot in it.
fn heights(options: &PlotOptions, parts: &[Part<'_>], more: bool, bands: i32) -> (i32, i32) {
    let count = parts.len() as i32;
    if count == 0 {
        return (options.height.unwrap_or(300).clamp(200, 20_000) as i32, 0);
    }
    let titles = if count > 1 { count * PANEL_TITLE } else { 0 };
    let between = (count - 1) * BETWEEN + if more { 20 } else { 0 };
    let chrome: i32 = parts.iter().map(Part::fixed).sum();
    let fixed = TITLE + titles + between + chrome + bands + AXIS;
    let alone = count == 1 && parts[0].lanes.is_none() && parts[0].ground.is_none() && parts[0].nodes.is_none();
    let usual = match count {
        1 if alone => ALONE,
        2 if parts[1].is_beside() => PAIR,
        _ => TOGETHER,
    };
    let plots = parts.iter().filter(|p| p.plot.is_some() || p.load.is_some()).count() as i32;
    let wished = options.height.map(|h| (h.min(20_000) as i32 - fixed) / plots.max(1));
    let plot = wished.unwrap_or(usual).max(LOWEST);
    (options.height.map_or(0, |h| h.min(20_000) as i32).max(fixed + plots * plot), plot)
}

fn titles(
    timeline: Option<&Timeline>,
    count: usize,
    options: &PlotOptions,
    across: Across,
    parts: &[Part<'_>],
) -> (String, String) {
    let own = options.title.clone().or_else(|| timeline.map(|t| t.title.clone()));
    let own = own.filter(|title| !title.is_empty());
    match parts {
        [] => (own.unwrap_or_else(|| "seatrial".to_string()), "no workloads".to_string()),
        [one] => match own {
            Some(title) => (title, format!("{}: {}", one.name, one.headline)),
            None => (one.name.clone(), one.headline.clone()),
        },
        // Each part says what happened to it.
        [one, rest @ ..] if !one.is_beside() && rest.iter().all(Part::is_beside) => {
            let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            let told = format!("{}, from {} to {}", names.join(", "), across.from, across.to);
            (own.unwrap_or_else(|| one.name.clone()), told)
        }
        several => {
            let pods = several.iter().filter(|part| !part.is_beside()).count();
            let (shown, all) = match pods {
                0 if several.iter().all(|part| part.load.is_some()) => {
                    (format!("{} Services", several.len()), "requests".to_string())
                }
                0 => (format!("{} workloads by zone", several.len()), format!("{count} workloads")),
                _ if pods == count => (format!("{count} workloads"), format!("{count} workloads")),
                _ => (format!("{pods} of {count} workloads"), format!("{count} workloads")),
            };
            (own.unwrap_or(all), format!("{shown} from {} to {}", across.from, across.to))
        }
    }
}

/// An empty picture with its title; the description is for readers who do not
/// see it.
pub(super) fn titled(look: Look, (width, height): (i32, i32), title: &str, description: &str) -> Scene {
    let mut scene = Scene {
        width,
        height,
        background: look.background,
        title: title.to_string(),
        description: description.to_string(),
        shapes: Vec::new(),
    };
    draw_title(&mut scene, look, title);
    scene
}

fn draw_title(scene: &mut Scene, look: Look, title: &str) {
    let title = font::fit(title, 24, true, scene.width - 2 * EDGE);
    let title = Text { x: EDGE, y: 42, anchor: Anchor::Start, size: 24, bold: true, colour: look.text, text: title };
    scene.push(Shape::Text(title));
}

fn draw_titles(scene: &mut Scene, look: Look, title: &str, subtitle: &str) {
    let room = scene.width - 2 * EDGE;
    draw_title(scene, look, title);
    let subtitle = font::fit(subtitle, 15, false, room);
    scene.push(text(EDGE, 68, Anchor::Start, 15, look.muted, &subtitle));
}

fn draw_panel_title(scene: &mut Scene, look: Look, top: i32, name: &str, result: &str) {
    let room = scene.width - 2 * EDGE;
    let name = font::fit(name, 15, true, room / 2);
    let x = EDGE + font::width(&name, 15, true) + 14;
    scene.push(Shape::Text(Text {
        x: EDGE,
        y: top + 14,
        anchor: Anchor::Start,
        size: 15,
        bold: true,
        colour: look.text,
        text: name,
    }));
    let result = font::fit(result, NORMAL, false, scene.width - EDGE - x);
    scene.push(text(x, top + 14, Anchor::Start, NORMAL, look.muted, &result));
}

/// Times below the last panel.
fn draw_axis(scene: &mut Scene, look: Look, across: Across, bottom: i32, start: &str) {
    let y = bottom + 6;
    scene.rule((across.left, y), (across.right, y), look.muted);
    let mut free = i32::MIN;
    for at in axis::multiples(tick_step(across), across.from, across.to) {
        let (x, label) = (across.x(at), axis::clock(at));
        let half = font::width(&label, SMALL, false) / 2;
        scene.rule((x, y), (x, y + 5), look.muted);
        if x - half > free {
            scene.push(text(x, y + 19, Anchor::Middle, SMALL, look.text, &label));
            free = x + half + 6;
        }
    }
    let caption = format!("simulated time since {start}");
    scene.push(text(across.right, y + 40, Anchor::End, SMALL, look.muted, &caption));
}

#[cfg(test)]
mod tests {
    use super::super::Theme;
    use super::super::scene::Area;
    use super::*;
    use crate::fixture;

    fn area(text: &Text) -> Area {
        let width = font::width(&text.text, text.size, text.bold);
        let x0 = match text.anchor {
            Anchor::Start => text.x,
            Anchor::Middle => text.x - width / 2,
            Anchor::End => text.x - width,
        };
        let (above, below) = (text.size * 8 / 10, text.size / 5);
        Area { x0, y0: text.y - above, x1: x0 + width, y1: text.y + below }
    }

    fn texts(scene: &Scene) -> Vec<&Text> {
        let shapes = scene.shapes.iter();
        shapes.filter_map(|s| if let Shape::Text(text) = s { Some(text) } else { None }).collect()
    }

    /// No text touches another or leaves the picture.
    fn check_texts(name: &str, scene: &Scene) {
        let texts = texts(scene);
        for (i, a) in texts.iter().enumerate() {
            let own = area(a);
            let inside = own.x0 >= 0 && own.y0 >= 0 && own.x1 <= scene.width && own.y1 <= scene.height;
            assert!(inside, "{name}: {:?} leaves the picture: {own:?}", a.text);
            for b in &texts[..i] {
                assert!(!own.overlaps(&area(b)), "{name}: {:?} touches {:?}", a.text, b.text);
            }
        }
    }

    #[test]
    fn texts_never_touch() {
        for (name, trace) in fixture::all() {
            let timeline = Timeline::of(&trace);
            for (width, height) in [(1_200, None), (480, None), (700, Some(400)), (3_000, Some(2_000))] {
                let options = PlotOptions { width, height, ..PlotOptions::default() };
                let drawn = scene(&trace, &timeline, &options);
                check_texts(&format!("{name} {width}"), &drawn);
                let nodes = PlotOptions { picture: Picture::Nodes, ..options.clone() };
                check_texts(&format!("nodes of {name} {width}"), &scene(&trace, &timeline, &nodes));
                let dark = scene(&trace, &timeline, &PlotOptions { theme: Theme::Dark, ..options });
                assert_eq!(texts(&drawn).len(), texts(&dark).len(), "themes only change colours");
            }
        }
    }

    #[test]
    fn the_picture_says_what_happened() {
        let trace = fixture::rollout();
        let scene = scene(&trace, &Timeline::of(&trace), &PlotOptions::default());
        let said: Vec<&str> = texts(&scene).iter().map(|t| t.text.as_str()).collect();
        for text in [
            "A rolling update of ten pods",
            "deployment/web: rollout took 40s, available never below 8 of 10, at most 20 pods on nodes",
            "set image app:v2",
            "revision 1, app:v1",
            "min 8",
            "max 20",
            "on nodes 10",
            "available 10",
            "ceiling 13",
            "floor 8",
            "True: NewReplicaSetAvailable",
            "1m40s",
        ] {
            assert!(said.contains(&text), "{text} is not among {said:#?}");
        }
        assert_eq!((scene.width, scene.height), (1_200, 700));
    }

    #[test]
    fn pictures_say_what_they_leave_out() {
        let said = |scene: &Scene, text: &str| texts(scene).iter().any(|t| t.text == text);
        let of = |trace: &Trace| scene(trace, &Timeline::of(trace), &PlotOptions::default());
        assert!(said(&of(&fixture::many()), "and 3 more workloads"));
        assert!(said(&of(&fixture::long()), "and 31 more"));
        let empty = scene(&Trace::default(), &Timeline::default(), &PlotOptions::default());
        assert!(said(&empty, "nothing to draw: the trace has no workloads"));
    }
}
