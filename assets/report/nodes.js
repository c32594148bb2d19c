// ---- a lane for each node ------------------------------------------------
const FEW_NODES = 40, MOST_NODES = 400;

/** Lanes of nodes: how each stood, how many pods were on it. */
class NodeChart extends Chart {
  constructor(variant, told, canvas) {
    super(variant, told, canvas);
    this.told = told;
    this.standings = new Map(told.lanes.legend.map((e) => [e.tone, e.name]));
    this.room = FEW_NODES;
    this.words = [];
    this.pick();
  }
  laneHeight(n) { return n <= 8 ? 26 : n <= 24 ? 20 : 15; }
  /** Chooses the lanes that are shown: of those that are looked for the ones in which most happens. */
  pick() {
    const all = this.told.lanes.lanes;
    const fits = (lane) => { const text = `${lane.name} zone ${lane.zone} `.toLowerCase(); return this.words.every((w) => text.includes(w)); };
    const found = this.words.length ? all.filter(fits) : all;
    const last = found.length > this.room ? found.map((lane) => lane.rank).sort((a, b) => a - b)[this.room - 1] : Infinity;
    const shown = found.filter((lane) => lane.rank <= last), lanes = [];
    for (const [i, lane] of shown.entries()) {
      if (this.told.zoned && (i === 0 || shown[i - 1].zone !== lane.zone)) lanes.push({ name: lane.zone ? 'zone ' + lane.zone : 'no zone', head: true, bars: [], ticks: [], note: '' });
      lanes.push({ ...lane, bars: lane.bars.map((bar) => this.bar(lane, bar)) });
    }
    [this.found, this.shown, this.cursor] = [found.length, shown.length, null];
    this.place({ ...this.told.lanes, lanes });
  }
  /** A bar as lanes of pods have it. */
  bar(lane, [from, to, tone, record]) {
    return [from, to, tone, 0, 0, [], `node ${lane.name} ${this.standings.get(tone)} for ${length(to - from)}`, record];
  }
  /** What is closed needs no drawing. */
  draw() { if (this.canvas.offsetParent) super.draw(); }
  drawLane(i, lane, y, h) {
    const c = this.c;
    if (lane.head) {
      c.fillStyle = look.card;
      c.fillRect(this.left, y - 4, this.width, h + 8);
      return;
    }
    this.drawBars(i, y, h);
    if (lane.pods && !hidden.has('pods') && this.told.mostPods > 0) this.drawPods(i, lane, y, h);
    if (!hidden.has('moment')) this.drawTicks(lane, y, h);
  }
  /** The pods on a node, where there is a node. */
  drawPods(i, lane, y, h) {
    const c = this.c, up = (v) => y + h - 2 - v / this.told.mostPods * (h - 4);
    c.save();
    c.beginPath();
    for (const b of this.visible(i)) if (!hidden.has(b[2])) c.rect(this.x(b[0]), y, this.x(b[1]) - this.x(b[0]), h);
    c.clip();
    c.strokeStyle = look.text;
    c.lineWidth = 1;
    this.steps(lane.pods, up, y, y + h);
    c.restore();
  }
  /** A rim lets it stand out from every colour. */
  tick(tone, x, y, h) {
    const c = this.c;
    c.fillStyle = look.plot;
    c.fillRect(x - 3, y, 7, h);
    c.fillStyle = look.text;
    c.fillRect(x - 1, y, 3, h);
  }
  under(px, py) {
    const found = super.under(px, py);
    if (!found || !found.cursor) return found;
    const counted = this.lanes.lanes[found.cursor[0]].pods, pods = counted && valueAt(counted, this.at(px));
    if (!counted) return found;
    return { ...found, text: `${found.text}; ${pods} ${pods === 1 ? 'pod' : 'pods'} on it` };
  }
  nearest(at) { return recordAt(this.variant, at); }
}
/** The lanes, open where they have something to tell, and of many nodes what finds others. */
function nodeFigure(variant, told) {
  const name = data.variants.length > 1 ? `${told.path}, ${variant.name}` : told.path;
  const canvas = el('canvas', { tabindex: '0', role: 'img', 'aria-label': `${name}: ${told.headline}. Arrow keys move from bar to bar, Enter says why, plus and minus zoom, 0 resets.` });
  const box = el('div', { class: 'legend', role: 'group', 'aria-label': 'Parts' });
  for (const e of told.lanes.legend) box.append(toggle(e.name, e.tone, e.tone, e.revision, e.thin));
  const chart = new NodeChart(variant, told, canvas), lanes = told.lanes.lanes.length;
  charts.push(chart);
  const said = el('span', { class: 'muted', role: 'status' });
  const say = () => {
    const of = chart.words.length ? `${chart.found.toLocaleString('en')} found` : `${told.all.toLocaleString('en')} nodes`;
    said.textContent = chart.shown < chart.found ? `${chart.shown} of ${of}, those in which most happens` : chart.words.length ? of : `all ${of}`;
    more.disabled = chart.shown >= Math.min(chart.found, MOST_NODES);
    fewer.disabled = chart.room <= FEW_NODES;
  };
  const show = () => { chart.pick(); say(); redraw(); };
  const words = el('input', { type: 'search', placeholder: 'Find nodes, such as a-1 or zone b', size: 28, 'aria-label': 'Find nodes', oninput: () => { chart.words = words.value.toLowerCase().split(/\s+/).filter(Boolean); show(); } });
  const more = el('button', { onclick: () => { chart.room = Math.min(MOST_NODES, chart.room * 2); show(); } }, 'More lanes');
  const fewer = el('button', { onclick: () => { chart.room = Math.max(FEW_NODES, chart.room / 2); show(); } }, 'Fewer');
  say();
  return el('figure', { class: 'nodes' }, el('details', { open: told.open, ontoggle: () => redraw() },
    el('summary', {}, el('h3', {}, told.path), el('span', { class: 'headline' }, told.headline)), box,
    lanes > FEW_NODES ? el('div', { class: 'bar' }, words, more, fewer, said) : null, canvas,
    told.rest ? el('figcaption', {}, `${told.rest}, and not in this file`) : null));
}
