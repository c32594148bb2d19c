function wall(variant, ms) {
  return new Date(Date.parse(variant.start) + ms).toISOString().replace(/\.\d+Z$/, 'Z').replace('T', ' ');
}

function toneColour(tone, revision) {
  const of = REVISIONS[revision % REVISIONS.length];
  switch (tone) {
    case 'revision': return mix(of, look.plot, look.dark ? 0.24 : 0.3);
    case 'pale': return mix(of, look.plot, 0.74);
    case 'gated': return look.gated;
    case 'attaching': return look.attaching;
    case 'pulling': return look.pulling;
    case 'init': return look.init;
    case 'good': return look.goodfill;
    case 'bad': return look.badfill;
    case 'stopped': return look.stopped;
    case 'running': return look.running;
    case 'terminating': return look.terminating;
    case 'served': return look.running;
    case 'errors': return look.stopped;
    case 'shed': return '#e6b422';
    case 'refused': return look.badfill;
    case 'requested': return look.running;
    case 'pending': return look.badfill;
    case 'offered': return look.text;
    case 'sound': return look.goodfill;
    case 'unsound': return mix(look.badfill, look.plot, 0.4);
    default: return look.waiting;
  }
}
function lineOfDisks() { return mix(look.text, look.attaching, 0.45); }
const WORST = ['waiting', 'gated', 'revision', 'pale', 'attaching', 'pulling', 'init', 'good', 'running', 'terminating', 'stopped', 'bad'];
const SERIES = {
  available: ['available', 2.5, []], ready: ['ready', 1.5, [4, 3]], 'on-node': ['node', 1.5, []],
  desired: ['muted', 1, []], ceiling: ['band', 1, [7, 4]], floor: ['band', 1, [7, 4]],
  serving: ['band', 2, [1, 3]], routable: ['good', 2, [2, 3]], 'dead-ends': ['bad', 2, []],
  requests: ['text', 2, []], capacity: ['band', 2, [7, 4]],
};

// ---- records -------------------------------------------------------------
function record(variant, i) {
  const r = variant.records;
  return { i, at: r[4 * i], cause: r[4 * i + 1], subject: r[4 * i + 2], text: r[4 * i + 3] };
}
function say(variant, rec) {
  const subject = variant.subjects[rec.subject];
  return variant.texts[rec.text].replace('\u0001', subject ? subject[0] : '');
}
function count(variant) { return variant.records.length / 4; }
/** The last record at or before a time. */
function recordAt(variant, at) {
  let low = 0, high = count(variant);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (variant.records[4 * middle] <= at) low = middle + 1; else high = middle;
  }
  return low - 1;
}
function rootOf(variant, subject) {
  let at = subject;
  for (let i = 0; i < 8; i++) {
    const owner = variant.subjects[at] ? variant.subjects[at][1] : -1;
    if (owner < 0) break;
    at = owner;
  }
  return at;
}

// ---- the chain of causes -------------------------------------------------
function explain(variant, id, focus) {
  const box = $('why');
  if (id < 0 || id >= count(variant)) {
    box.replaceChildren(el('h2', {}, 'Why?'), el('p', { class: 'muted' }, 'Nothing led here: it was so from the beginning.'));
    return;
  }
  selected = { variant, id };
  const list = el('ol', {});
  let rec = record(variant, id);
  const seen = new Set();
  let before = null;
  for (let n = 0; n < 60; n++) {
    seen.add(rec.i);
    const text = say(variant, rec);
    const source = text.match(/^(.*) \[([^\]]+\.go [^\]]+)\]$/);
    const gap = before === null ? '' : ` (${length(before - rec.at)} earlier)`;
    const here = rec.i;
    list.append(el('li', { class: (n === 0 ? 'first ' : '') + (source ? 'decided' : '') },
      el('time', {}, clock(rec.at) + (before !== null && before - rec.at >= 50 ? gap : '') + ` · #${rec.i}`),
      el('button', { class: 'link', title: 'Show this moment', onclick: () => { goTo(variant, here); } }, source ? source[1] : text),
      source ? el('div', { class: 'source' }, source[2]) : null));
    before = rec.at;
    if (rec.cause < 0 || seen.has(rec.cause)) break;
    rec = record(variant, rec.cause);
  }
  const head = record(variant, id);
  const name = data.variants.length > 1 && variant.name ? ` in ${variant.name}` : '';
  box.replaceChildren(
    el('h2', { style: 'margin-top:0' }, `Why${name}?`),
    el('p', { class: 'muted' }, `${clock(head.at)} since the start, ${wall(variant, head.at)}`),
    list,
    el('p', { class: 'muted' }, 'Each line was led to by the one below it.'),
    el('div', { class: 'bar' },
      el('button', { onclick: () => explain(variant, Math.max(0, id - 1)) }, '← earlier event'),
      el('button', { onclick: () => explain(variant, Math.min(count(variant) - 1, id + 1)) }, 'later event →')));
  if (focus) box.focus({ preventScroll: false });
  redraw();
}
function goTo(variant, id) {
  const at = record(variant, id).at;
  if (at < view.from || at > view.to) {
    const half = (view.to - view.from) / 2;
    setView(at - half, at + half);
  }
  explain(variant, id);
  log.show(variant, id);
}

class Chart extends Plot {
  constructor(variant, workload, canvas) {
    super(variant, workload, canvas);
    this.lanes = workload.lanes;
    this.cursor = null;
    const lanes = workload.bands ? 0 : Math.max(1, this.lanes.lanes.length);
    this.lane = laneHeight(lanes);
    this.momentsTop = 20;
    this.lanesTop = this.momentsTop + (this.lanes.moments ? 20 : 0);
    this.lanesEnd = this.lanesTop + lanes * this.lane;
    this.countTop = this.lanesEnd + 18;
    this.countEnd = this.countTop + (this.lanes.count ? 70 : 0);
    this.plotTop = this.lanes.count ? this.countEnd + 18 : this.countTop;
    this.plotEnd = this.plotTop + (workload.runs ? -18 : 170);
    this.tracksTop = this.plotEnd + (workload.conditions.length ? 8 : 0);
    this.endsAt(this.tracksTop + workload.conditions.length * TRACK);
    this.ordered = this.lanes.lanes.map((l) => l.bars.slice().sort((a, b) => a[0] - b[0]));
    this.longest = this.ordered.map((bars) => bars.reduce((m, b) => Math.max(m, b[1] - b[0]), 0));
  }
  draw() {
    this.begin();
    if (this.lanes.moments) this.drawMoments();
    this.drawLanes();
    if (this.lanes.count) this.drawCount();
    if (!this.workload.runs) this.drawPlot();
    this.drawTracks();
    this.drawEnd();
    this.drawActions();
    this.drawLimits();
    this.drawSelected();
    this.drawCursor();
  }
  areas() {
    const areas = [[this.lanesTop, this.lanesEnd]];
    if (this.lanes.count) areas.push([this.countTop, this.countEnd]);
    if (!this.workload.runs) areas.push([this.plotTop, this.plotEnd]);
    return areas;
  }
  /** The conditions as bars, each with as much of its words as fits. */
  drawTracks() {
    const c = this.c, ink = { good: [look.trackgood, look.text], busy: [look.trackbusy, look.text], bad: [look.badfill, textOn(look.badfill)] };
    this.workload.conditions.forEach((track, i) => {
      const y = this.tracksTop + i * TRACK;
      this.label(track.name, y + TRACK / 2 - 1);
      this.clip(y, y + TRACK, () => {
        for (const [from, to, mood, texts] of track.bars) {
          if (to < view.from || from > view.to) continue;
          const x0 = Math.max(this.x(from), LEFT), x1 = Math.min(this.x(to), LEFT + this.width);
          c.fillStyle = ink[mood][0];
          c.fillRect(x0, y, Math.max(x1 - x0 - 1, 1), TRACK - 3);
          const text = texts.find((t) => c.measureText(t).width <= x1 - x0 - 8);
          if (!text) continue;
          c.fillStyle = ink[mood][1];
          c.textAlign = 'left';
          c.fillText(text, x0 + 5, y + TRACK / 2 - 1);
        }
      });
    });
  }
  drawMoments() {
    const c = this.c, y = this.momentsTop + 10, ticks = this.lanes.moments.ticks;
    this.label(this.lanes.moments.name, y);
    this.clip(this.momentsTop, this.lanesTop, () => {
      let last = -9;
      const crowded = ticks.length > this.width / 9 * (whole[1] / (view.to - view.from));
      for (const [at, tone] of ticks) {
        if (at < view.from || at > view.to) continue;
        const x = this.x(at), bad = tone === 'bad';
        if (crowded) {
          if (!bad && x - last < 1) continue;
          c.fillStyle = bad ? look.badfill : look.muted;
          c.fillRect(Math.floor(x), y - (bad ? 5 : 3), 1, bad ? 10 : 6);
        } else if (bad) {
          c.fillStyle = look.badfill;
          c.textAlign = 'center';
          c.fillText('✗', x, y + 1);
        } else {
          c.fillStyle = look.muted;
          c.beginPath(); c.arc(x, y, 3, 0, 7); c.fill();
        }
        last = x;
      }
    });
  }
  /** The bars of a lane that can be seen, found without looking at all. */
  visible(i) {
    const bars = this.ordered[i], from = view.from - this.longest[i];
    let low = 0, high = bars.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (bars[middle][0] < from) low = middle + 1; else high = middle;
    }
    const seen = [];
    for (let k = low; k < bars.length && bars[k][0] <= view.to; k++) if (bars[k][1] >= view.from) seen.push(bars[k]);
    return seen;
  }
  drawLanes() {
    const h = this.lane, gap = h > 15 ? 4 : h > 9 ? 2 : 1;
    const every = Math.max(1, Math.ceil(13 / h));
    this.lanes.lanes.forEach((lane, i) => {
      const y = this.lanesTop + i * h;
      if (i % every === 0) {
        this.label(lane.name, y + h / 2);
        if (lane.note) this.note(lane.note, y + h / 2);
      }
      this.clip(y, y + h, () => this.drawLane(i, lane, y + gap / 2, h - gap));
    });
    this.c.font = "12px 'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif";
  }
  drawLane(i, lane, y, h) {
    const c = this.c, seen = this.visible(i);
    const drawn = seen.filter((b) => !hidden.has(b[2]));
    if (drawn.length > this.width / 2) this.drawDense(drawn, y, h);
    else {
      for (const b of drawn) this.fill(b[2], b[3], b[4], this.x(b[0]), Math.max(this.x(b[1]), this.x(b[0]) + 1), y, h);
      if (h >= 14) for (const b of drawn) this.barText(b, y, h);
    }
    for (const [at, tone] of lane.ticks) {
      if (at < view.from || at > view.to) continue;
      c.fillStyle = toneColour(tone, 0);
      c.fillRect(this.x(at) - 1, y, 2, h);
    }
  }
  drawDense(bars, y, h) {
    const columns = new Int8Array(Math.ceil(this.width) + 1).fill(-1), owner = new Array(columns.length);
    for (const b of bars) {
      const rank = WORST.indexOf(b[2]);
      const x0 = Math.max(0, Math.floor(this.x(b[0]) - LEFT)), x1 = Math.min(columns.length, Math.max(x0 + 1, Math.floor(this.x(b[1]) - LEFT)));
      for (let x = x0; x < x1; x++) if (columns[x] < rank) { columns[x] = rank; owner[x] = b; }
    }
    for (let x = 0; x < columns.length;) {
      if (columns[x] < 0) { x++; continue; }
      let end = x + 1;
      while (end < columns.length && columns[end] === columns[x] && owner[end][3] === owner[x][3]) end++;
      this.fill(owner[x][2], owner[x][3], owner[x][4], LEFT + x, LEFT + end, y, h);
      x = end;
    }
  }
  fill(tone, revision, thin, x0, x1, y, h) {
    const c = this.c;
    c.fillStyle = toneColour(tone, revision);
    if (thin) { c.fillRect(x0, y + h / 2 - 1.5, x1 - x0, 3); return; }
    c.fillRect(x0, y, x1 - x0, h);
    if (tone === 'terminating' && h >= 8) {
      c.fillStyle = look.plot + '99';
      const begin = Math.max(x0, LEFT), end = Math.min(x1, LEFT + this.width);
      for (let x = Math.ceil(begin / 6) * 6; x < end - 1; x += 6) c.fillRect(x, y, 2, h);
    }
    if (tone === 'attaching' && h >= 8) {
      c.fillStyle = lineOfDisks();
      for (let line = y + 2; line < y + h - 1; line += 5) c.fillRect(x0, line, x1 - x0, 1);
    }
  }
  barText(b, y, h) {
    if (!b[5].length) return;
    const c = this.c, x0 = Math.max(this.x(b[0]), LEFT), x1 = Math.min(this.x(b[1]), LEFT + this.width), room = x1 - x0 - 8;
    const text = b[5].find((t) => c.measureText(t).width <= room);
    if (!text) return;
    if (b[4]) {
      const half = c.measureText(text).width / 2 + 4, middle = (x0 + x1) / 2;
      c.fillStyle = look.plot;
      c.fillRect(middle - half, y + h / 2 - 6, 2 * half, 12);
      c.fillStyle = look.muted;
      c.textAlign = 'center';
      c.fillText(text, middle, y + h / 2 + 0.5);
    } else {
      c.fillStyle = textOn(toneColour(b[2], b[3]));
      c.textAlign = 'left';
      c.fillText(text, x0 + 5, y + h / 2 + 0.5);
    }
  }
  drawCount() {
    const c = this.c, k = this.lanes.count;
    // Variants are compared, so they have one scale.
    const alike = data.variants.flatMap((v) => v.workloads).filter((w) => w.path === this.workload.path && w.lanes.count).map((w) => w.lanes.count);
    const max = Math.max(1, ...alike.map((o) => Math.max(most(o.points), o.limit ? o.limit.value : 0, o.other ? most(o.other.points) : 0))) * 1.15;
    const y = this.scale(this.countTop, this.countEnd, max);
    const colour = k.tone === 'good' ? look.goodfill : look.running;
    this.area(k.points, y, colour, 0, Infinity, this.countTop, this.countEnd);
    if (k.aboveIsBad && k.limit) this.area(k.points, y, look.badfill, k.limit.value, Infinity, this.countTop, this.countEnd);
    c.lineWidth = k.points.length > this.width * 2 ? 0.5 : 2;
    c.strokeStyle = k.tone === 'good' ? look.good : look.accent;
    this.steps(k.points, y, this.countTop, this.countEnd);
    const now = valueAt(k.points, view.to);
    const names = [[y(now), `${k.name} ${now}`, k.tone === 'good' ? look.good : look.accent]];
    if (k.other) {
      c.lineWidth = 2;
      c.strokeStyle = look.bad;
      this.steps(k.other.points, y, this.countTop, this.countEnd);
      const value = valueAt(k.other.points, view.to);
      names.push([y(value), `${k.other.name} ${value}`, look.bad]);
    }
    if (k.limit) {
      c.strokeStyle = look.text;
      c.lineWidth = 1;
      c.setLineDash([8, 5]);
      c.beginPath(); c.moveTo(LEFT, y(k.limit.value)); c.lineTo(LEFT + this.width, y(k.limit.value)); c.stroke();
      c.setLineDash([]);
      names.push([y(k.limit.value), k.limit.name, look.muted]);
    }
    this.names(names, this.countTop, this.countEnd);
  }
  drawPlot() {
    const w = this.workload, c = this.c;
    const all = w.series.filter((s) => SERIES[s.name] && !hidden.has('series:' + s.name));
    const alike = data.variants.flatMap((v) => v.workloads).filter((o) => o.path === w.path);
    const top = Math.max(1, ...alike.flatMap((o) => o.series).filter((s) => SERIES[s.name]).map((s) => most(s.points)), ...w.layers.map((l) => most(l.ready)));
    const y = this.scale(this.plotTop, this.plotEnd, top * 1.12);
    const of = (name) => (w.series.find((s) => s.name === name) || {}).points;
    const [ceiling, floor] = [of('ceiling'), of('floor')];
    if (ceiling && !hidden.has('series:ceiling')) this.stack([[floor || [], null], [ceiling, look.bandfill, floor || []]], y, true, this.plotTop, this.plotEnd);
    const shown = [];
    w.layers.forEach((l, i) => { if (!hidden.has('revision')) shown.push([l.ready, toneColour('revision', i)]); });
    w.layers.forEach((l, i) => { if (!hidden.has('pale')) shown.push([l.unready, toneColour('pale', i)]); });
    w.layers.forEach((l) => { if (!hidden.has('terminating')) shown.push([l.terminating, look.terminating]); });
    for (const b of w.bands || []) if (!hidden.has(b.tone)) shown.push([b.points, toneColour(b.tone, 0)]);
    this.stack(shown, y, false, this.plotTop, this.plotEnd);
    const names = [];
    for (const s of all) {
      const [colour, width, dash] = SERIES[s.name];
      if (s.name === 'ready' && JSON.stringify(s.points) === JSON.stringify(of('available'))) continue;
      c.strokeStyle = look[colour];
      c.lineWidth = width;
      c.setLineDash(dash);
      this.steps(s.points, y, this.plotTop, this.plotEnd);
      c.setLineDash([]);
      const value = valueAt(s.points, view.to);
      names.push([y(value), `${s.name.replace('on-node', 'on nodes')} ${value}`, look[colour]]);
    }
    this.names(names, this.plotTop, this.plotEnd);
  }
  drawLimits() {
    const c = this.c;
    for (const limit of this.lanes.limits) {
      if (limit.at < view.from || limit.at > view.to) continue;
      const x = this.x(limit.at);
      c.strokeStyle = look.bad;
      c.setLineDash([5, 4]);
      c.beginPath(); c.moveTo(x, this.lanesTop - 2); c.lineTo(x, this.lanesEnd); c.stroke();
      c.setLineDash([]);
      c.fillStyle = look.bad;
      c.textAlign = 'right';
      c.fillText(limit.name, x - 4, this.lanesEnd + 9);
    }
  }
  drawCursor() {
    if (!this.cursor) return;
    const c = this.c, [i, k] = this.cursor, b = this.ordered[i] && this.ordered[i][k];
    if (b && b[1] >= view.from && b[0] <= view.to) {
      c.strokeStyle = look.text;
      c.lineWidth = 2;
      c.strokeRect(Math.max(LEFT, this.x(b[0])) - 1, this.lanesTop + i * this.lane, Math.max(3, Math.min(this.x(b[1]), LEFT + this.width) - Math.max(LEFT, this.x(b[0])) + 2), this.lane - 1);
    }
  }
  /** What lies under a point: a text and the record that it leads to. */
  under(px, py) {
    const at = this.at(px);
    if (px < LEFT - 4 || px > LEFT + this.width + 4) return null;
    const near = (view.to - view.from) / this.width * 4;
    if (this.lanes.moments && py >= this.momentsTop && py < this.lanesTop) {
      let best = null;
      for (const t of this.lanes.moments.ticks) if (Math.abs(t[0] - at) < near && (!best || Math.abs(t[0] - at) < Math.abs(best[0] - at))) best = t;
      return best && { text: best[2], record: best[3] };
    }
    if (py >= this.lanesTop && py < this.lanesEnd) {
      const i = Math.floor((py - this.lanesTop) / this.lane), lane = this.lanes.lanes[i];
      if (!lane) return null;
      const tick = lane.ticks.find((t) => Math.abs(t[0] - at) < near / 2);
      if (tick) return { text: tick[2], record: tick[3] };
      let best = null, key = -1;
      this.ordered[i].forEach((b, k) => {
        if (b[0] - near / 2 <= at && b[1] + near / 2 >= at && !hidden.has(b[2]) && (!best || WORST.indexOf(b[2]) >= WORST.indexOf(best[2]))) { best = b; key = k; }
      });
      return best && { text: best[6], record: best[7], cursor: [i, key] };
    }
    const action = this.variant.actions.find((a) => Math.abs(a.at - at) < near);
    if (py < this.lanesTop && action) return { text: action.text, record: this.nearest(action.at) };
    if (py >= this.countTop && py < this.countEnd && this.lanes.count) {
      const k = this.lanes.count, more = k.other ? `, ${k.other.name} ${valueAt(k.other.points, at)}` : '';
      return { text: `${k.name} ${valueAt(k.points, at)}${more}`, record: this.nearest(at) };
    }
    if (!this.workload.runs && py >= this.plotTop && py <= this.plotEnd) {
      const said = this.workload.series.filter((s) => SERIES[s.name]).map((s) => `${s.name} ${valueAt(s.points, at)}`);
      return { text: said.join(', '), record: this.nearest(at) };
    }
    const track = this.workload.conditions[Math.floor((py - this.tracksTop) / TRACK)];
    if (track && py >= this.tracksTop) {
      const bar = track.bars.find((b) => b[0] <= at && at < b[1]);
      return bar && { text: `${track.name} ${bar[3][0]} since ${clock(bar[0])}`, record: bar[4] };
    }
    return null;
  }
  key(e) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (moves[e.key]) {
      e.preventDefault();
      const [di, dk] = moves[e.key];
      let [i, k] = this.cursor || [0, -1];
      const lanes = this.ordered.length;
      if (!lanes) return;
      if (di) {
        const at = this.ordered[i] && this.ordered[i][k] ? this.ordered[i][k][0] : view.from;
        i = Math.min(Math.max(i + di, 0), lanes - 1);
        k = this.ordered[i].findIndex((b) => b[1] > at);
      } else k = Math.min(Math.max(k + dk, 0), this.ordered[i].length - 1);
      this.cursor = [i, Math.max(0, k)];
      const b = this.ordered[i][this.cursor[1]];
      if (b) {
        if (b[1] < view.from || b[0] > view.to) { const half = (view.to - view.from) / 2; setView(b[0] - half, b[0] + half); }
        const r = this.canvas.getBoundingClientRect();
        tell(`${this.lanes.lanes[i].name}, ${clock(b[0])}: ${b[6]}`, r.left + this.x(b[0]), r.top + this.lanesTop + (i + 1) * this.lane - 8);
      }
      redraw();
    } else if (e.key === 'Enter' || e.key === ' ') {
      e.preventDefault();
      const b = this.cursor && this.ordered[this.cursor[0]][this.cursor[1]];
      if (b) { explain(this.variant, b[7], true); log.show(this.variant, b[7]); }
    } else if (e.key === 'Escape') { this.cursor = null; tell(null); redraw(); } else super.key(e);
  }
}

// ---- the page ------------------------------------------------------------
function toggle(name, key, tone, revision, thin) {
  const swatch = el('i', { class: thin ? 'thin' : '' });
  const paint = () => { swatch.style.background = tone.startsWith('series:') ? look[SERIES[tone.slice(7)][0]] : tone === 'attaching' ? `repeating-linear-gradient(${lineOfDisks()} 0 1px, ${look.attaching} 1px 4px)` : toneColour(tone, revision); };
  painters.push(paint);
  return el('button', {
    'aria-pressed': 'true', title: 'Show or hide',
    onclick: () => {
      if (hidden.has(key)) hidden.delete(key); else hidden.add(key);
      document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`).forEach((b) => b.setAttribute('aria-pressed', String(!hidden.has(key))));
      redraw();
    },
    'data-key': key,
  }, swatch, name);
}
function legend(workload) {
  const box = el('div', { class: 'legend', role: 'group', 'aria-label': 'Series' });
  for (const e of workload.lanes.legend) box.append(toggle(e.name, e.tone, e.tone, e.revision, e.thin));
  for (const b of workload.bands || []) box.append(toggle(b.name, b.tone, b.tone, 0));
  for (const s of workload.series) {
    if (SERIES[s.name]) box.append(toggle(s.name.replace('on-node', 'on nodes'), 'series:' + s.name, 'series:' + s.name, 0, true));
  }
  return box;
}
function figure(variant, workload) {
  const several = data.variants.length > 1;
  const canvas = el('canvas', {
    tabindex: '0', role: 'img',
    'aria-label': `${workload.path}${several ? ', ' + variant.name : ''}: ${workload.headline}. Arrow keys move from bar to bar, Enter says why, plus and minus zoom, 0 resets.`,
  });
  const box = el('figure', {},
    el('h3', {}, workload.path),
    el('p', { class: 'headline' }, workload.headline),
    legend(workload), canvas);
  charts.push(new Chart(variant, workload, canvas));
  if (workload.lanes.leftOut) box.append(el('figcaption', {}, `and ${workload.lanes.leftOut} more lanes in which less happened`));
  return box;
}
function head() {
  const verdicts = data.variants.flatMap((v) => v.verdicts);
  const failed = verdicts.filter((v) => !v.passed).length;
  const sum = verdicts.length ? el('span', { class: failed ? 'fail' : 'pass' }, failed ? `✗ ${failed} of ${verdicts.length} claims failed` : `✓ all ${verdicts.length} claims held`) : null;
  const about = data.variants.find((v) => v.about);
  const side = el('button', {
    class: 'plain', 'aria-pressed': 'false', onclick: (e) => {
      const on = document.querySelector('.variants').classList.toggle('side');
      e.currentTarget.setAttribute('aria-pressed', String(on));
      redraw();
    },
  }, 'Side by side');
  $('top').append(
    el('h1', {}, data.title),
    about ? el('p', { class: 'muted', style: 'white-space:pre-line' }, about.about) : '',
    sum || '',
    el('div', { class: 'bar', role: 'toolbar', 'aria-label': 'View' },
      el('button', { onclick: () => zoom(0.6), 'aria-label': 'Zoom in' }, '+'),
      el('button', { onclick: () => zoom(1.6), 'aria-label': 'Zoom out' }, '−'),
      el('button', { onclick: () => { const by = (view.to - view.from) / 4; setView(view.from - by, view.to - by); }, 'aria-label': 'Earlier' }, '◀'),
      el('button', { onclick: () => { const by = (view.to - view.from) / 4; setView(view.from + by, view.to + by); }, 'aria-label': 'Later' }, '▶'),
      el('button', { onclick: () => setView(...first) }, 'Reset'),
      el('button', { onclick: () => setView(...whole) }, 'Whole run'),
      data.variants.length > 1 ? side : null,
      ...pageButtons(),
      el('span', { class: 'range', 'aria-live': 'polite' })),
    el('p', { class: 'muted' }, 'Click anything to see why it happened. Drag over a timeline to zoom, Ctrl and wheel too; double-click resets.'));
}
function verdictTable() {
  const rows = [];
  for (const v of data.variants) {
    for (const c of v.verdicts) {
      const why = c.record >= 0 ? el('button', { onclick: () => { goTo(v, c.record); $('why').scrollIntoView({ block: 'nearest' }); } }, 'Why?') : '';
      rows.push(el('tr', {},
        data.variants.length > 1 ? el('td', {}, v.name) : null,
        el('td', { class: c.passed ? 'pass' : 'fail' }, c.passed ? '✓ held' : '✗ failed'),
        el('td', {}, (c.expects ? 'Expected: ' : '') + c.name, c.claim !== c.name ? el('div', {}, el('code', {}, c.claim)) : null, c.fix ? el('div', { class: 'muted' }, 'Fix: ' + c.fix) : null),
        el('td', {}, c.found || ''),
        el('td', { class: 'num' }, c.at === null ? '' : clock(c.at)),
        el('td', {}, why)));
    }
  }
  if (!rows.length) return;
  const names = [data.variants.length > 1 ? 'Variant' : null, 'Verdict', 'Claim', 'Found', 'When', ''].filter((n) => n !== null);
  $('verdicts').append(el('h2', {}, 'Verdicts'), el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, ...names.map((n) => el('th', { scope: 'col' }, n)))), el('tbody', {}, ...rows))));
}
function comparedTable() {
  if (!data.compared.length) return;
  const rows = data.compared.map((c) => el('tr', { class: new Set(c.values).size > 1 ? 'differs' : '' },
    el('th', { scope: 'row' }, c.name), ...c.values.map((v) => el('td', {}, v))));
  $('compared').append(el('h2', {}, 'What differs'), el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, ''), ...data.variants.map((v) => el('th', { scope: 'col' }, v.name)))), el('tbody', {}, ...rows))));
}
function chartsBox() {
  const box = el('div', { class: 'variants' });
  for (const v of data.variants) {
    const part = el('section', { class: 'variant', 'aria-label': v.name || 'Run' });
    if (data.variants.length > 1) {
      const failed = v.verdicts.filter((c) => !c.passed).length;
      part.append(el('h2', {}, v.name, el('small', {}, v.workloads.map((w) => w.headline).join('; ').slice(0, 160)), failed ? el('small', { class: 'fail' }, `✗ ${failed} failed`) : null));
    }
    for (const w of v.workloads) {
      part.append(figure(v, w));
      if (w.zones) part.append(groundFigure(v, w.zones));
    }
    if (v.capacity) part.append(groundFigure(v, v.capacity));
    if (!v.workloads.length) part.append(el('p', {}, 'This run has no workloads.'));
    box.append(part);
  }
  $('charts').append(el('h2', {}, 'Timelines'), box);
  $('why').append(el('h2', { style: 'margin-top:0' }, 'Why?'), el('p', { class: 'muted' }, 'Click a bar, a mark, a line or an event, and the chain of causes that led to it appears here, down to what somebody did.'));
}
function assumptions() {
  const box = $('assumptions');
  const said = data.variants[0] ? data.variants[0].assumptions : [];
  if (said.length) box.append(el('h2', {}, 'Assumed, because nothing says otherwise'), el('ul', {}, ...said.map((a) => el('li', {}, a))));
  $('end').append(`seatrial ${data.version}. `, ...data.variants.flatMap((v) => [
    el('div', {}, `${v.name ? v.name + ': ' : ''}seed ${v.seed}, digest ${v.digest}, begins ${v.start}. `, el('code', {}, v.command))]));
}

/** All events of a variant; only those in sight are in the document. */
const log = {
  rows: [], on: -1,
  build() {
    const pick = el('select', { 'aria-label': 'Variant', onchange: () => this.filter() }, ...data.variants.map((v, i) => el('option', { value: i }, v.name || 'run')));
    const words = el('input', { type: 'search', placeholder: 'Search events, such as web-3 or not ready', size: 40, 'aria-label': 'Search events', oninput: () => this.filter() });
    const found = el('span', { class: 'muted', role: 'status' });
    this.box = el('div', { id: 'log', tabindex: '0', role: 'listbox', 'aria-label': 'Events' });
    this.space = el('div', {});
    this.box.append(this.space);
    [this.pick, this.words, this.found] = [pick, words, found];
    $('events').append(el('h2', {}, 'Events'), el('div', { class: 'bar' }, data.variants.length > 1 ? pick : null, words, found), this.box);
    this.box.addEventListener('scroll', () => this.draw());
    this.box.addEventListener('keydown', (e) => {
      const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[e.key];
      if (by) { e.preventDefault(); this.move(this.on + by); }
      else if (e.key === 'Enter' && this.on >= 0) explain(this.variant, this.rows[this.on], true);
    });
    this.filter();
  },
  filter() {
    this.variant = data.variants[this.pick.value || 0];
    const v = this.variant, words = this.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const n = v ? count(v) : 0;
    this.rows = [];
    // Each text and each name is looked at once, however often it is used.
    for (let i = 0; i < n; i++) {
      if (words.length) {
        const text = say(v, record(v, i)).toLowerCase();
        if (!words.every((w) => text.includes(w))) continue;
      }
      this.rows.push(i);
    }
    this.on = -1;
    this.found.textContent = `${this.rows.length.toLocaleString('en')} of ${n.toLocaleString('en')} events`;
    // Browsers draw nothing higher than some 30 million pixels.
    this.space.style.height = Math.min(this.rows.length * 24, 24e6) + 'px';
    this.draw();
  },
  draw() {
    const firstRow = Math.floor(this.box.scrollTop / 24), shown = [];
    for (let k = Math.max(0, firstRow - 4); k < Math.min(this.rows.length, firstRow + 26); k++) {
      const rec = record(this.variant, this.rows[k]);
      shown.push(el('div', {
        class: 'row' + (k === this.on ? ' on' : ''), role: 'option', 'aria-selected': String(k === this.on), style: `top:${k * 24}px`,
        onclick: () => { this.on = k; this.draw(); goTo(this.variant, rec.i); },
      }, el('span', {}, clock(rec.at)), el('span', { class: 'muted' }, '#' + rec.i), el('span', {}, say(this.variant, rec))));
    }
    this.space.replaceChildren(...shown);
  },
  move(k) {
    this.on = Math.min(Math.max(k, 0), this.rows.length - 1);
    const top = this.on * 24;
    if (top < this.box.scrollTop || top > this.box.scrollTop + this.box.clientHeight - 24) this.box.scrollTop = top - 200;
    this.draw();
  },
  show(variant, id) {
    const i = data.variants.indexOf(variant);
    if (this.variant !== variant) { this.pick.value = i; this.filter(); }
    let low = 0, high = this.rows.length;
    while (low < high) { const m = (low + high) >> 1; if (this.rows[m] < id) low = m + 1; else high = m; }
    this.on = low;
    this.box.scrollTop = low * 24 - 200;
    this.draw();
  },
};

afterwards.push(showRange);
head();
verdictTable();
comparedTable();
chartsBox();
log.build();
assumptions();
