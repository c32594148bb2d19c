// ---- the ground: what machines offer, and pods by zone ------------------
const ROW_TALL = 120, ROW_LOW = 46, ROW_GAP = 26;

/** Rows of areas below each other, each with a scale of its own. */
class GroundChart extends Plot {
  constructor(variant, told, canvas) {
    super(variant, { name: told.workload, conditions: [] }, canvas);
    this.told = told;
    let top = 40;
    this.rows = told.rows.map((row) => {
      const end = top + (row.tall ? ROW_TALL : ROW_LOW), place = { row, top, end, max: this.most(row) * 1.12 };
      top = end + ROW_GAP;
      return place;
    });
    this.plotEnd = top - ROW_GAP;
    this.endsAt(this.plotEnd);
  }
  /** Variants that are compared have one scale; other scenarios are none of theirs. */
  most(row) {
    const rows = (data.compared.length ? data.variants : [this.variant]).flatMap((v) => groundsOf(v)).filter((g) => g.path === this.told.path).flatMap((g) => g.rows);
    return Math.max(1, ...rows.filter((r) => r.name === row.name).map((r) => r.most));
  }
  areas() { return this.rows.map((r) => [r.top, r.end]); }
  draw() {
    this.begin();
    for (const place of this.rows) this.drawRow(place);
    this.drawEnd();
    this.drawActions();
    this.drawSelected();
  }
  drawRow({ row, top, end, max }) {
    const c = this.c, y = this.scale(top, end, max, row.unit, row.tall ? 26 : 20);
    const seen = (layer) => !hidden.has('ground:' + layer.ink);
    const layers = row.layers.filter(seen);
    this.stack(layers.map((l) => [l.points, toneColour(l.ink, 0)]), y, false, top, end);
    this.label(row.name, top - 10, look.text);
    const names = [];
    let below = 0;
    for (const layer of layers) {
      const value = valueAt(layer.points, view.to);
      if (value > 0) names.push([y(below + value / 2), `${layer.name} ${value / row.unit}`, look.text]);
      below += value;
    }
    if (row.line && seen(row.line)) {
      c.strokeStyle = look.text;
      c.lineWidth = 2;
      this.steps(row.line.points, y, top, end);
      const value = valueAt(row.line.points, view.to);
      names.push([y(value), `${row.line.name} ${value / row.unit}`, look.text]);
    }
    this.names(names, top + 4, end - 4);
  }
  under(px, py) {
    const at = this.at(px);
    if (px < this.left - 4 || px > this.left + this.width + 4) return null;
    const place = this.rows.find((r) => py >= r.top - 4 && py <= r.end + 4);
    if (!place) return null;
    const { row } = place, parts = [...row.layers, ...(row.line ? [row.line] : [])];
    const said = parts.map((p) => `${p.name} ${valueAt(p.points, at) / row.unit}`).join(', ');
    return { text: `${row.name}: ${said}`, record: this.told.workload ? this.nearest(at) : recordAt(this.variant, at) };
  }
}
function groundsOf(variant) { return [...variant.workloads.map((w) => w.zones), variant.capacity].filter(Boolean); }
/** A chart that is open where it has something to tell. */
function groundFigure(variant, told) {
  const name = data.variants.length > 1 ? `${told.path}, ${variant.name}` : told.path;
  const canvas = el('canvas', { tabindex: '0', role: 'img', 'aria-label': `${name}: ${told.headline}. Plus and minus zoom, 0 resets.` });
  const box = el('div', { class: 'legend', role: 'group', 'aria-label': 'Parts' });
  for (const e of told.legend) box.append(toggle(e.name, 'ground:' + e.ink, e.ink, 0, e.line));
  charts.push(new GroundChart(variant, told, canvas));
  return el('figure', { class: 'ground', 'data-path': told.path }, el('details', { open: told.open, ontoggle: () => redraw() },
    el('summary', {}, el('h3', {}, told.path), el('span', { class: 'headline' }, told.headline)), box, canvas));
}

