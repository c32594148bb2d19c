// ---- figures -------------------------------------------------------------
const sweep = data.sweep, columns = sweep.columns, fields = sweep.fields, points = sweep.points;
const NEVER = 4 + 1, WORST_RUN = 6;
/** What can be looked at: settings that were not refused. */
const ran = points.map((p, i) => i).filter((i) => points[i].figures);
const own = points.findIndex((p) => p.own);
const state = {
  point: own >= 0 && points[own].figures ? own : ran[0] || 0,
  only: new Set(), across: sweep.across, upright: sweep.upright.slice(), floor: sweep.floor,
  heat: { rows: 0, columns: 1, figure: sweep.upright[0], how: 'worst' }, run: null, of: sweep.upright[0], sort: null,
};
/** The numbers of a column over a point's runs. */
function figure(p, c) { return points[p].figures[c]; }
function median(p, c) { return figure(p, c)[1]; }
function worst(p, c) { const f = figure(p, c); return f[NEVER] > 0 ? null : columns[c].more ? f[3] : f[4]; }
/** What all but the worst tenth of runs reach. */
function usual(p, c) { const f = figure(p, c); return columns[c].more ? f[2] : f[0]; }
/** How bad a value is; what never came is worse than anything. */
function cost(c, value) { return value === null ? Infinity : columns[c].more ? -value : value; }
function complete(p) { return [state.across, ...state.upright].every((c) => figure(p, c)[NEVER] === 0); }

/** A length of time as the command prints it: 1m02.5s. */
function spanText(ms) {
  const hours = Math.floor(ms / 3600000), minutes = Math.floor(ms / 60000) % 60, seconds = Math.floor(ms / 1000) % 60, millis = Math.floor(ms % 1000);
  const fraction = millis ? ('.' + String(millis).padStart(3, '0')).replace(/0+$/, '') : '';
  const two = String(seconds).padStart(2, '0') + fraction;
  if (!hours && !minutes) return seconds + fraction + 's';
  if (!hours) return seconds || millis ? `${minutes}m${two}s` : `${minutes}m`;
  const both = `${hours}h${String(minutes).padStart(2, '0')}m`;
  return seconds || millis ? both + two + 's' : both;
}
/** A value in words. */
function said(c, value) {
  if (value === null || value === undefined) return 'never';
  if (columns[c].unit === 'ms') return value < 0 ? '-' + spanText(-value) : spanText(value >= 10000 ? Math.floor((Math.floor(value) + 50) / 100) * 100 : value);
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
function filled(template, text) { return template.replace('{}', () => text); }

// ---- what to choose ------------------------------------------------------
/** Settings that are wanted: with the values that are held fast. */
function shown() {
  const wanted = points[state.point].values;
  return ran.filter((p) => [...state.only].every((f) => points[p].values[f] === wanted[f]));
}
/** The best setting that keeps a floor in every run: fastest, then cheapest, then safest. */
function choose(floor) {
  const [kept, price] = state.upright, across = state.across;
  const keys = (p) => [cost(across, median(p, across)), price === undefined ? 0 : cost(price, worst(p, price)), cost(kept, worst(p, kept)), cost(across, figure(p, across)[2]), points[p].own ? 0 : 1, p];
  let best = null;
  for (const p of shown()) {
    if (!complete(p) || cost(kept, worst(p, kept)) > cost(kept, floor)) continue;
    const mine = keys(p);
    if (!best || less(mine, best[1])) best = [p, mine];
  }
  return best ? best[0] : null;
}
function less(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i];
  return false;
}
/** What a setting costs. */
function price(p) {
  const c = state.across, f = figure(p, c), other = state.upright[1];
  const [low, middle, high] = [f[0], f[1], f[2]].map((v) => said(c, v));
  const time = filled(columns[c].takes, low === high ? middle : `${middle} (${low} to ${high} in 8 of 10 runs)`);
  if (other === undefined) return time;
  const most = said(other, worst(p, other));
  return `${time} and ${filled(most === '1' ? columns[other].upToOne : columns[other].upTo, most)}`;
}
/** The setting to choose and why, in the words of the command. */
function advice() {
  const kept = state.upright[0], among = shown().filter(complete);
  const best = among.map((p) => worst(p, kept)).sort((a, b) => cost(kept, a) - cost(kept, b))[0];
  const floor = state.floor === null ? best : state.floor;
  const prefix = state.only.size ? `With ${[...state.only].map((f) => `${fields[f].short}=${valueOf(f)}`).join(' and ')}: ` : '';
  if (best === undefined) return { point: null, text: `${prefix}No setting ${columns[state.across].finishes} in every run.` };
  const point = choose(floor);
  if (point === null) return { point, text: `${prefix}No setting ${filled(columns[kept].keeps, said(kept, floor))} in every run; the best keep ${said(kept, best)}.` };
  const runs = sweep.seeds === 1 ? 'the run' : `all ${sweep.seeds} runs`;
  let text = `${prefix}To ${filled(columns[kept].keep, said(kept, floor))} in ${runs}, choose ${points[point].label}: ${price(point)}.`;
  if (point === own) text += ' That is what the manifest says now.';
  else if (own >= 0 && points[own].figures) {
    const never = figure(own, state.across)[NEVER];
    text += never ? ` The manifest as it is ${columns[state.across].doesNot} in ${never} of ${sweep.seeds} runs.` : ` The manifest as it is keeps ${said(kept, worst(own, kept))}: ${price(own)}.`;
  }
  return { point, text };
}
/** The settings that no other one beats across and upwards. */
function front(c) {
  const all = shown().filter(complete).map((p) => [cost(state.across, median(p, state.across)), cost(c, worst(p, c)), p]);
  all.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const found = new Set();
  let before = Infinity;
  for (let i = 0; i < all.length;) {
    const [x, y] = all[i];
    for (; i < all.length && all[i][0] === x; i++) if (all[i][1] === y && y < before) found.add(all[i][2]);
    before = Math.min(before, y);
  }
  return found;
}
function valueOf(f, p = state.point) {
  const value = points[p].values[f];
  return value === null ? 'as written' : value;
}
/** The point with these values. */
const byValues = new Map(points.map((p, i) => [JSON.stringify(p.values), i]));
/** The point that is shown with one value changed. */
function withValue(f, value) {
  const values = points[state.point].values.map((v, i) => (i === f ? value : v === null ? fields[i].values[0] : v));
  return byValues.get(JSON.stringify(values));
}

// ---- dots ----------------------------------------------------------------
const DOT = { left: 64, right: 18, top: 12, bottom: 44, height: 380, never: 74 };
const MARK = { other: ['older', 3], front: ['band', 5], own: ['ownmark', 7], chosen: ['good', 7] };
class Dots {
  constructor(canvas, which) {
    Object.assign(this, { canvas, which, cursor: null });
    canvas.style.height = DOT.height + 'px';
    canvas.addEventListener('pointermove', (e) => {
      const p = this.under(...placeIn(canvas, e));
      canvas.style.cursor = p === null ? 'default' : 'pointer';
      tell(p === null ? null : this.words(p), e.clientX, e.clientY);
    });
    canvas.addEventListener('pointerleave', () => tell(null));
    canvas.addEventListener('click', (e) => { const p = this.under(...placeIn(canvas, e)); if (p !== null) select(p); });
    canvas.addEventListener('keydown', (e) => this.key(e));
    canvas.addEventListener('blur', () => { this.cursor = null; tell(null); redraw(); });
  }
  get up() { return state.upright[this.which]; }
  words(p) {
    const across = state.across, marks = [p === chosen.point ? 'to choose' : '', points[p].own ? 'the manifest as it is' : ''].filter(Boolean);
    const never = figure(p, across)[NEVER];
    return `${points[p].label}${marks.length ? ` (${marks.join(', ')})` : ''}: ${columns[across].across} ${said(across, median(p, across))}${never ? `, ${never} of ${sweep.seeds} not over` : ''}; ${columns[this.up].upright} ${said(this.up, worst(p, this.up))}`;
  }
  /** The least and the greatest of some values with room on both sides. */
  range(values, c) {
    const numbers = values.filter((v) => v !== null);
    let low = Infinity, high = -Infinity;
    for (const n of numbers) { if (n < low) low = n; if (n > high) high = n; }
    if (low > high) [low, high] = [0, 1];
    const whole = numbers.every(Number.isInteger), ms = columns[c].unit === 'ms';
    const room = Math.max((high - low) / 18, ms ? 500 : whole ? 0.6 : 0.02);
    return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
  }
  ticks(c, low, high, many) {
    const ms = columns[c].unit === 'ms', span = high - low;
    let step = ms ? roundStep(span, many) : 1;
    if (!ms && span / step > many) step = [2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6].find((s) => span / s <= many) || 1e7;
    if (!ms && span < 2.5) step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].find((s) => span / s <= many) || 1;
    const all = [];
    for (let i = Math.ceil(low / step); i * step <= high + 1e-9; i++) all.push(i * step);
    return all.map((v) => [v, ms ? clock(v) : step < 1 ? v.toFixed(2) : String(v)]);
  }
  draw() {
    const [c, outer] = pen(this.canvas, DOT.height), across = state.across, up = this.up;
    const visible = shown(), seen = new Set(visible);
    this.list = visible;
    const never = visible.some((p) => !complete(p)) ? DOT.never : 0;
    const [x0, x1, y0, y1] = [DOT.left, outer - DOT.right - never, DOT.height - DOT.bottom, DOT.top];
    // All settings have one scale, whichever of them are shown.
    const [xl, xh] = this.range(ran.flatMap((p) => [figure(p, across)[0], figure(p, across)[2]]), across);
    const [yl, yh] = this.range(ran.flatMap((p) => [worst(p, up), usual(p, up)]), up);
    const x = (v) => x0 + (v - xl) / (xh - xl) * (x1 - x0), y = (v) => y0 + (v - yl) / (yh - yl) * (y1 - y0);
    c.fillStyle = look.plot;
    c.fillRect(x0, y1, outer - DOT.right - x0, y0 - y1);
    c.lineWidth = 1;
    const rule = (a, b, d, e, colour) => { c.strokeStyle = colour; c.beginPath(); c.moveTo(a, b); c.lineTo(d, e); c.stroke(); };
    for (const [v, name] of this.ticks(across, xl, xh, Math.max(3, (x1 - x0) / 80))) {
      const at = Math.round(x(v)) + 0.5;
      rule(at, y1, at, y0, look.grid);
      c.textAlign = 'center'; c.fillStyle = look.muted; c.fillText(name, at, y0 + 12);
    }
    for (const [v, name] of this.ticks(up, yl, yh, (y0 - y1) / 30)) {
      const at = Math.round(y(v)) + 0.5;
      rule(x0, at, outer - DOT.right, at, look.grid);
      c.textAlign = 'right'; c.fillStyle = look.muted; c.fillText(name, x0 - 8, at);
    }
    rule(x0, y0 + 0.5, outer - DOT.right, y0 + 0.5, look.muted);
    if (never) {
      rule(x1 + 0.5, y1, x1 + 0.5, y0, look.muted);
      c.textAlign = 'center'; c.fillStyle = look.muted; c.fillText('not over', x1 + never / 2, y0 + 12);
    }
    c.textAlign = 'right'; c.fillStyle = look.muted;
    c.fillText(`${columns[across].across} (median)`, outer - DOT.right, y0 + 32);
    if (this.which === 0 && state.floor !== null && state.floor >= yl && state.floor <= yh) {
      c.setLineDash([7, 5]); rule(x0, Math.round(y(state.floor)) + 0.5, outer - DOT.right, Math.round(y(state.floor)) + 0.5, look.text); c.setLineDash([]);
      c.textAlign = 'right'; c.fillStyle = look.text;
      c.fillText(columns[up].more ? 'at least' : 'at most', outer - DOT.right - 6, y(state.floor) + (y(state.floor) < y1 + 20 ? 10 : -9));
    }
    const best = front(up);
    const place = (p) => [complete(p) ? x(median(p, across)) : x1 + never / 2, worst(p, up) === null ? (columns[up].more ? y0 : y1) : y(worst(p, up))];
    this.places = new Map(ran.map((p) => [p, place(p)]));
    this.stairs(c, best);
    const kind = (p) => (p === chosen.point ? 'chosen' : points[p].own ? 'own' : best.has(p) ? 'front' : 'other');
    const order = ['other', 'front', 'own', 'chosen'];
    const sorted = ran.slice().sort((a, b) => seen.has(a) - seen.has(b) || order.indexOf(kind(a)) - order.indexOf(kind(b)));
    for (const p of sorted) this.spread(c, p, kind(p), seen.has(p), x, y);
    for (const p of sorted) this.dot(c, p, kind(p), seen.has(p));
    this.labels(c, sorted.filter((p) => seen.has(p) && kind(p) !== 'other'), outer - DOT.right, y0);
    this.ring(c, state.point, look.text, 11);
    if (this.cursor !== null) this.ring(c, this.cursor, look.focus, 14);
  }
  /** The front as stairs: what can be had for each time. */
  stairs(c, best) {
    const corners = [...best].map((p) => this.places.get(p)).sort((a, b) => a[0] - b[0]);
    if (corners.length < 2) return;
    c.strokeStyle = look.band + 'b0';
    c.lineWidth = 2;
    c.beginPath();
    corners.forEach(([x, y], i) => { if (i) c.lineTo(x, corners[i - 1][1]); c[i ? 'lineTo' : 'moveTo'](x, y); });
    c.stroke();
    c.lineWidth = 1;
  }
  spread(c, p, kind, seen, x, y) {
    if (!complete(p) || !seen) return;
    const f = figure(p, state.across), [px, py] = this.places.get(p);
    c.strokeStyle = look[MARK[kind][0]] + (kind === 'other' ? '40' : 'c0');
    c.beginPath();
    c.moveTo(x(f[0]), py); c.lineTo(x(f[2]), py);
    const most = usual(p, this.up);
    if (most !== null) { c.moveTo(px, py); c.lineTo(px, y(most)); }
    c.stroke();
  }
  /** Shapes differ and not only colours. */
  dot(c, p, kind, seen) {
    const [x, y] = this.places.get(p), [colour, r] = MARK[kind];
    c.fillStyle = look[colour] + (seen ? (kind === 'other' ? 'b0' : 'ff') : '30');
    c.beginPath();
    if (kind === 'own') { c.moveTo(x, y - r); c.lineTo(x + r, y); c.lineTo(x, y + r); c.lineTo(x - r, y); c.closePath(); }
    else if (kind === 'chosen') star(c, x, y, r + 3);
    else c.arc(x, y, r, 0, 7);
    c.fill();
    if (kind !== 'other') { c.strokeStyle = look.bg; c.stroke(); }
  }
  ring(c, p, colour, r) {
    const at = this.places.get(p);
    if (!at) return;
    c.strokeStyle = colour;
    c.lineWidth = 2;
    c.beginPath(); c.arc(at[0], at[1], r, 0, 7); c.stroke();
    c.lineWidth = 1;
  }
  /** The names of what matters, where there is room. */
  labels(c, list, right, bottom) {
    const taken = list.map((p) => this.places.get(p)).map(([x, y]) => [x - 7, y - 7, x + 7, y + 7]);
    c.textAlign = 'left';
    c.fillStyle = look.text;
    for (const p of list.slice().reverse()) {
      const [x, y] = this.places.get(p), text = points[p].own && points[p].label === 'as written' ? 'as written' : points[p].label, w = c.measureText(text).width;
      const spots = [[x + 12, y + 14], [x + 12, y - 14], [x - 12 - w, y - 14], [x - 12 - w, y + 14]];
      const free = spots.find(([a, b]) => a > DOT.left && a + w < right && b > DOT.top && b < bottom - 6 && !taken.some((t) => a < t[2] && a + w > t[0] && b - 7 < t[3] && b + 7 > t[1]));
      if (!free) continue;
      taken.push([free[0], free[1] - 7, free[0] + w, free[1] + 7]);
      c.fillText(text, ...free);
    }
  }
  under(px, py) {
    let best = null, near = 14 * 14;
    for (const p of this.list || []) {
      const [x, y] = this.places.get(p), d = (x - px) ** 2 + (y - py) ** 2 - (p === chosen.point || points[p].own ? 20 : 0);
      if (d < near) [best, near] = [p, d];
    }
    return best;
  }
  key(e) {
    const along = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [1, -1], ArrowDown: [1, 1] }[e.key];
    if (along) {
      e.preventDefault();
      const [axis, by] = along, list = this.list.slice().sort((a, b) => this.places.get(a)[axis] - this.places.get(b)[axis] || this.places.get(a)[1 - axis] - this.places.get(b)[1 - axis] || a - b);
      const at = list.indexOf(this.cursor === null ? state.point : this.cursor);
      this.cursor = list[Math.min(Math.max(at + by, 0), list.length - 1)];
      const r = this.canvas.getBoundingClientRect(), [x, y] = this.places.get(this.cursor);
      tell(this.words(this.cursor), r.left + x, r.top + y);
      redraw();
    } else if ((e.key === 'Enter' || e.key === ' ') && this.cursor !== null) { e.preventDefault(); select(this.cursor, true); }
    else if (e.key === 'Escape') { this.cursor = null; tell(null); redraw(); }
  }
}
function star(c, x, y, r) {
  for (let i = 0; i < 10; i++) {
    const a = -Math.PI / 2 + i * Math.PI / 5, d = i % 2 ? r * 0.5 : r;
    c[i ? 'lineTo' : 'moveTo'](x + d * Math.cos(a), y + d * Math.sin(a));
  }
  c.closePath();
}

// ---- the runs of the setting that is shown -------------------------------
class Runs {
  constructor(canvas) {
    Object.assign(this, { canvas });
    canvas.style.height = '96px';
    canvas.addEventListener('pointermove', (e) => { const i = this.under(...placeIn(canvas, e)); tell(i === null ? null : this.words(i), e.clientX, e.clientY); });
    canvas.addEventListener('pointerleave', () => tell(null));
    canvas.addEventListener('click', (e) => { const i = this.under(...placeIn(canvas, e)); if (i !== null) pickRun(i); });
    canvas.addEventListener('keydown', (e) => {
      const by = { ArrowRight: 1, ArrowLeft: -1, Home: -1e9, End: 1e9 }[e.key];
      if (!by || !this.order) return;
      e.preventDefault();
      const at = this.order.indexOf(run());
      pickRun(this.order[Math.min(Math.max(at + by, 0), this.order.length - 1)]);
    });
  }
  words(i) { return `run ${i + 1} of ${sweep.seeds}, seed ${points[state.point].seeds[i]}: ${columns[state.of].words} ${said(state.of, points[state.point].runs[state.of][i])}`; }
  draw() {
    const [c, outer] = pen(this.canvas, 96), values = points[state.point].runs && points[state.point].runs[state.of];
    this.places = [];
    if (!values) return;
    this.order = values.map((v, i) => i).sort((a, b) => (values[a] === null) - (values[b] === null) || values[a] - values[b] || a - b);
    const numbers = values.filter((v) => v !== null), low = Math.min(...numbers), high = Math.max(...numbers);
    const never = numbers.length < values.length ? 40 : 0, right = outer - 14 - never;
    const x = (v) => (v === null ? outer - 20 : high > low ? 14 + (v - low) / (high - low) * (right - 14) : (14 + right) / 2);
    const stacks = new Map(), r = values.length > 400 ? 2 : 3.5;
    for (const i of this.order) {
      const column = Math.round(x(values[i]) / (2 * r)), n = stacks.get(column) || 0;
      stacks.set(column, n + 1);
      this.places[i] = [x(values[i]), n];
    }
    const highest = Math.max(...stacks.values()), step = Math.min(2 * r, 64 / highest);
    this.places.forEach((p) => { p[1] = 72 - p[1] * step; });
    c.fillStyle = look.plot;
    c.fillRect(0, 0, outer, 78);
    c.fillStyle = look.band + (values.length > 60 ? '90' : 'd0');
    for (const [a, b] of this.places) { c.beginPath(); c.arc(a, b, r, 0, 7); c.fill(); }
    const mine = this.places[run()];
    if (mine) { c.strokeStyle = look.text; c.lineWidth = 2; c.beginPath(); c.arc(mine[0], mine[1], r + 3, 0, 7); c.stroke(); }
    c.fillStyle = look.muted;
    c.textAlign = 'left';
    if (numbers.length) c.fillText(said(state.of, low), 4, 88);
    c.textAlign = 'right';
    if (numbers.length && high > low) c.fillText(said(state.of, high), right, 88);
    if (never) c.fillText('never', outer - 4, 88);
  }
  under(px, py) {
    let best = null, near = 100;
    (this.places || []).forEach(([x, y], i) => { const d = (x - px) ** 2 + (y - py) ** 2; if (d < near) [best, near] = [i, d]; });
    return best;
  }
}
/** The run that is shown: the one that was picked, or the worst. */
function run() { return state.run === null ? figure(state.point, state.of)[WORST_RUN] : state.run; }
function pickRun(i) { state.run = i; cellBox(); redraw(); }

// ---- the timeline of a run -----------------------------------------------
/** The worst, the median and the best run of the setting by the figure that its runs are shown by. */
function ranked() {
  const values = points[state.point].runs && points[state.point].runs[state.of];
  if (!values) return [['Worst', figure(state.point, state.of)[WORST_RUN]]];
  const runs = values.map((v, i) => i).sort((a, b) => cost(state.of, values[a]) - cost(state.of, values[b]) || a - b);
  return [['Worst', figure(state.point, state.of)[WORST_RUN]], ['Median', runs[(runs.length - 1) >> 1]], ['Best', runs[0]]];
}
/** The picture of a run, in the colours of the page. */
function pictured(p, i) {
  const found = (sweep.timelines || []).find((t) => t.point === p && t.run === i);
  return found && 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(found.picture.replace(/#\{(\d+)\}/g, (all, n) => found.colours[look.dark ? 1 : 0][n]));
}
function runBox() {
  const box = $('run'), p = state.point, point = points[p];
  if (!sweep.timelines || !point.figures) { box.replaceChildren(); return; }
  const i = run(), seed = point.seeds[i], picture = pictured(p, i), words = columns[state.of].words;
  const active = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.rank : null;
  const picks = ranked().map(([name, r]) => el('button', { class: 'plain', 'data-rank': name, 'aria-pressed': String(r === i), onclick: () => pickRun(r) }, name));
  const value = point.runs ? `: ${words} ${said(state.of, point.runs[state.of][i])}` : '';
  const others = (sweep.timelines.filter((t) => t.point === p)).length;
  box.replaceChildren(el('h2', {}, 'A run'),
    el('div', { class: 'bar', role: 'group', 'aria-label': `Runs by ${words}` }, el('span', { class: 'muted' }, `By ${words}:`), ...picks, el('span', { role: 'status' }, `${point.label}, seed ${seed}${value}`)),
    picture ? el('div', { class: 'scroll' }, el('img', { src: picture, alt: `Timeline of the run with seed ${seed} of ${point.label}` }))
      : el('p', { class: 'muted' }, `The timeline of this run is not in this file${others ? '; those of the worst, the median and the best runs are' : ', as there was room for others only'}. The command beside it gives it, with --report run.html.`));
  if (active) { const again = box.querySelector(`[data-rank="${active}"]`); if (again) again.focus(); }
}
painters.push(() => { if ($('run').firstChild) runBox(); });

// ---- the page ------------------------------------------------------------
let chosen = { point: null, text: '' };
const controls = { sliders: [], outputs: [] };
/** Shows another setting. */
function select(p, focus) {
  if (p === undefined || !points[p]) return;
  state.point = p;
  state.run = null;
  update();
  if (focus) $('cell').focus();
}
/** Everything anew, after anything has changed. */
function update() {
  chosen = advice();
  if ($('advice').textContent !== chosen.text) $('advice').textContent = chosen.text;
  controls.go.disabled = chosen.point === null;
  fields.forEach((f, i) => {
    const value = points[state.point].values[i], slider = controls.sliders[i];
    if (value !== null) slider.value = f.values.indexOf(value);
    slider.setAttribute('aria-valuetext', valueOf(i));
    controls.outputs[i].textContent = valueOf(i);
  });
  cellBox();
  heatMap();
  settingsTable();
  redraw();
}
function head() {
  $('top').append(
    el('h1', {}, data.title),
    el('p', { class: 'muted' }, `${ran.length} settings, ${sweep.seeds} ${sweep.seeds === 1 ? 'seed' : 'seeds'} each${points.length > ran.length ? `; ${points.length - ran.length} more are refused` : ''}`),
    el('div', { class: 'bar', role: 'toolbar', 'aria-label': 'View' }, ...pageButtons()));
}
/** A choice among columns. */
function picker(name, value, change, none) {
  const box = el('select', { onchange: (e) => change(e.currentTarget.value === '' ? undefined : Number(e.currentTarget.value)) });
  if (none) box.append(el('option', { value: '' }, none));
  columns.forEach((c, i) => box.append(el('option', { value: i }, c.words)));
  box.value = value === undefined ? '' : value;
  return el('label', {}, el('span', {}, name), box);
}
function floorBox() {
  const number = el('input', { type: 'number', min: 0, step: 'any', oninput: (e) => set(e.currentTarget.value) });
  const slider = el('input', { type: 'range', 'aria-hidden': 'true', tabindex: '-1', oninput: (e) => set(e.currentTarget.value, true) });
  const name = el('span', {}), unit = el('span', { class: 'muted' }), box = el('label', { class: 'floor' }, name, el('span', {}, number, unit, slider));
  const scale = () => (columns[state.upright[0]].unit === 'ms' ? 1000 : 1);
  function set(text, slid) {
    state.floor = text === '' || !Number.isFinite(Number(text)) ? null : Number(text) * scale();
    if (slid) number.value = text; else slider.value = text;
    update();
  }
  controls.floor = () => {
    const c = columns[state.upright[0]], all = ran.map((p) => worst(p, state.upright[0])).filter((v) => v !== null).map((v) => v / scale());
    name.textContent = `${c.words}, ${c.more ? 'at least' : 'at most'}`;
    unit.textContent = c.unit === 'ms' ? ' s' : '';
    [slider.min, slider.max] = [Math.min(...all, 0), Math.max(...all, 1)];
    slider.step = c.unit === 'ms' || all.every(Number.isInteger) ? 1 : 0.01;
    const value = state.floor === null ? '' : String(state.floor / scale());
    [number.value, slider.value] = [value, value];
  };
  controls.floor();
  return box;
}
function chooseBox() {
  const axes = (i, value) => {
    if (i < 0) state.across = value;
    else if (value === undefined) state.upright.splice(1, 1);
    else state.upright[i] = value;
    if (i === 0) { state.floor = null; state.of = differs(value) ? value : state.of; state.heat.figure = value; controls.floor(); controls.heatFigure(value); }
    plots();
    update();
  };
  const sliders = fields.map((f, i) => {
    const out = el('output', {}), slider = el('input', {
      type: 'range', min: 0, max: Math.max(f.values.length - 1, 0), step: 1, 'aria-label': f.name,
      oninput: (e) => select(withValue(i, f.values[Number(e.currentTarget.value)])),
    });
    controls.sliders.push(slider);
    controls.outputs.push(out);
    return el('div', { class: 'param' },
      el('div', {}, el('b', { title: f.name }, f.short), ' ', out), slider,
      el('div', { class: 'ends muted' }, el('span', {}, f.values[0]), el('span', {}, f.values[f.values.length - 1])),
      el('label', { class: 'only' }, el('input', { type: 'checkbox', onchange: (e) => { state.only[e.currentTarget.checked ? 'add' : 'delete'](i); update(); } }), ' only this value'));
  });
  controls.go = el('button', { onclick: () => select(chosen.point, true) }, 'Show what to choose');
  $('choose').append(
    el('p', { id: 'advice', role: 'status', 'aria-live': 'polite' }),
    el('div', { class: 'controls' },
      floorBox(),
      picker('Weighed against', state.across, (v) => axes(-1, v)),
      picker('What is kept', state.upright[0], (v) => axes(0, v)),
      picker('What it costs', state.upright[1], (v) => axes(1, v), 'nothing more')),
    fields.length ? el('h2', {}, 'Parameters') : '',
    el('div', { class: 'params' }, ...sliders),
    el('div', { class: 'bar' }, controls.go, own >= 0 && points[own].figures ? el('button', { onclick: () => select(own, true) }, 'Show the manifest as it is') : null));
}
function swatch(kind) {
  const mark = el('canvas', { width: 40, height: 40, class: 'mark', 'aria-hidden': 'true' });
  painters.push(() => {
    const c = mark.getContext('2d'), [colour, r] = MARK[kind] || ['text', 8];
    c.setTransform(2, 0, 0, 2, 0, 0);
    c.clearRect(0, 0, 20, 20);
    [c.fillStyle, c.strokeStyle, c.lineWidth] = [look[colour], look.text, 2];
    c.beginPath();
    if (kind === 'own') { c.moveTo(10, 3); c.lineTo(17, 10); c.lineTo(10, 17); c.lineTo(3, 10); c.closePath(); }
    else if (kind === 'chosen') star(c, 10, 10, 9);
    else c.arc(10, 10, r, 0, 7);
    c[kind === 'shown' ? 'stroke' : 'fill']();
  });
  return mark;
}
/** One plot for each upright axis. */
function plots() {
  charts.length = 0;
  const box = el('div', { class: 'plots' });
  state.upright.forEach((c, i) => {
    const canvas = el('canvas', { tabindex: '0', role: 'img', 'aria-label': `${columns[c].upright}, against: ${columns[state.across].across}. ${ran.length} settings; the table below has them all. Arrow keys move from setting to setting, Enter shows one.` });
    box.append(el('figure', {}, el('h3', {}, columns[c].upright), canvas));
    charts.push(new Dots(canvas, i));
  });
  const legend = [['other', 'a setting'], ['front', 'no other is better in both (Pareto front)'], ['own', 'the manifest as it is'], ['chosen', 'to choose'], ['shown', 'shown at the right']];
  $('tradeoff').replaceChildren(el('h2', {}, 'Trade-off'), box,
    el('p', { class: 'legend' }, ...legend.map(([kind, name]) => el('span', {}, swatch(kind), name)), el('span', {}, 'Bars reach from the worst run to 8 of 10.')));
  painters.forEach((p) => look.bg && p());
}
/** The setting that is shown: its figures, its runs, and how to see one again. */
function cellBox() {
  const p = state.point, point = points[p], box = $('cell');
  const marks = [p === chosen.point ? 'to choose' : '', point.own ? 'the manifest as it is' : '', point.figures && state.upright.some((c) => front(c).has(p)) ? 'on the front' : ''].filter(Boolean);
  const active = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.keep : null;
  const title = el('h2', { style: 'margin-top:0' }, point.label);
  const live = el('p', { class: 'muted', role: 'status' }, marks.length ? marks.join(', ') : 'one of the settings');
  if (!point.figures) {
    runBox();
    box.replaceChildren(title, el('p', { class: 'fail' }, 'Kubernetes or seatrial refuses this setting: there was no run.'));
    return;
  }
  const rows = columns.map((c, i) => {
    const f = figure(p, i), spread = f[0] === f[2] ? '' : `${said(i, f[0])} to ${said(i, f[2])}`;
    const pick = el('button', { class: 'link', 'data-keep': 'column' + i, 'aria-pressed': String(i === state.of), title: 'Show the runs by this figure', onclick: () => { state.of = i; state.run = null; cellBox(); redraw(); } }, c.words);
    return el('tr', { class: i === state.of ? 'differs' : '' }, el('th', { scope: 'row' }, pick), el('td', { class: 'num' }, said(i, f[1])), el('td', { class: 'num' }, spread),
      el('td', { class: 'num' }, (f[NEVER] ? `never in ${f[NEVER]}` : said(i, worst(p, i)))));
  });
  const i = run(), seed = point.seeds[i], command = point.command + seed;
  const strip = el('canvas', { tabindex: '0', role: 'img', 'data-keep': 'runs', 'aria-label': `Runs by ${columns[state.of].words}, from ${said(state.of, figure(p, state.of)[3])} to ${said(state.of, figure(p, state.of)[4])}. Arrow keys move from run to run.` });
  controls.strip = point.runs ? new Runs(strip) : null;
  const copy = el('button', { 'data-keep': 'copy', onclick: (e) => { const b = e.currentTarget; if (navigator.clipboard) navigator.clipboard.writeText(command).then(() => { b.textContent = 'Copied'; }, () => { b.textContent = 'Select it, please'; }); } }, 'Copy');
  const what = state.run === null ? 'The worst run' : `Run ${i + 1}`;
  box.replaceChildren(title, live,
    el('div', { class: 'scroll' }, el('table', {},
      el('thead', {}, el('tr', {}, ...['', 'Median', '8 of 10 runs', 'Worst'].map((n) => el('th', { scope: 'col' }, n)))), el('tbody', {}, ...rows))),
    point.failed ? el('p', { class: 'fail' }, `a claim fails in ${point.failed} of ${sweep.seeds} runs`) : '',
    el('h3', {}, `Runs by ${columns[state.of].words}`),
    point.runs ? strip : el('p', { class: 'muted' }, 'There are too many runs to have them here; sweep.csv has them all.'),
    el('p', { role: 'status' }, `${what}${point.runs ? `: ${columns[state.of].words} ${said(state.of, point.runs[state.of][i])}` : ''}, seed ${seed}. See it again:`),
    el('code', { id: 'command' }, command), ' ', copy);
  if (active) { const again = box.querySelector(`[data-keep="${active}"]`); if (again) again.focus(); }
  if (controls.strip) controls.strip.draw();
  runBox();
}
/** Two parameters against each other. */
function heatMap() {
  const box = $('heat');
  if (fields.length < 2) return;
  const h = state.heat, rows = fields[h.rows], across = fields[h.columns], wanted = points[state.point].values;
  const at = (r, c) => byValues.get(JSON.stringify(fields.map((f, i) => (i === h.rows ? r : i === h.columns ? c : wanted[i] === null ? f.values[0] : wanted[i]))));
  const value = (p) => (h.how === 'worst' ? worst(p, h.figure) : median(p, h.figure));
  const costs = ran.map((p) => cost(h.figure, value(p))).filter(Number.isFinite), low = Math.min(...costs), high = Math.max(...costs);
  const focus = document.activeElement && document.activeElement.closest && document.activeElement.closest('.heat') ? document.activeElement.dataset.at : null;
  const body = rows.values.map((r, i) => el('tr', {}, el('th', { scope: 'row' }, r), ...across.values.map((c, j) => {
    const p = at(r, c);
    if (p === undefined || !points[p].figures) return el('td', {}, el('span', { class: 'none', title: 'refused' }, '–'));
    const v = value(p), share = v === null ? 1 : high > low ? (cost(h.figure, v) - low) / (high - low) : 0;
    const colour = mix(look.plot || '#ffffff', look.node || '#d55e00', 0.06 + share * 0.8);
    const mark = p === chosen.point ? '★ ' : points[p].own ? '◆ ' : '';
    return el('td', {}, el('button', {
      style: `background:${colour};color:${textOn(colour)}`, 'aria-pressed': String(p === state.point), 'data-at': `${i},${j}`, tabindex: p === state.point || (focus === null && i + j === 0 && !body0(at, rows, across)) ? '0' : '-1',
      'aria-label': `${rows.short} ${r}, ${across.short} ${c}: ${columns[h.figure].words} ${said(h.figure, v)}${p === chosen.point ? ', to choose' : ''}${points[p].own ? ', the manifest as it is' : ''}`,
      onclick: () => select(p), onkeydown: heatKey,
    }, mark + said(h.figure, v)));
  })));
  controls.heat.replaceChildren(
    el('caption', {}, `${columns[h.figure].words}, ${h.how === 'worst' ? 'the worst run' : 'the median run'}: ${rows.short} downwards, ${across.short} to the right; the more orange, the worse`),
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, `${rows.short} \\ ${across.short}`), ...across.values.map((c) => el('th', { scope: 'col' }, c)))), el('tbody', {}, ...body));
  if (focus) { const again = controls.heat.querySelector(`[data-at="${focus}"]`); if (again) { again.tabIndex = 0; again.focus({ preventScroll: true }); } }
}
/** Whether the setting shown is a cell of the heat map. */
function body0(at, rows, across) { return rows.values.some((r) => across.values.some((c) => at(r, c) === state.point)); }
function heatKey(e) {
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
  if (!by) return;
  e.preventDefault();
  let [i, j] = e.currentTarget.dataset.at.split(',').map(Number);
  // Refused settings are passed over.
  for (;;) {
    [i, j] = [i + by[0], j + by[1]];
    if (i < 0 || j < 0 || i >= fields[state.heat.rows].values.length || j >= fields[state.heat.columns].values.length) return;
    const next = controls.heat.querySelector(`[data-at="${i},${j}"]`);
    if (next) { next.focus(); next.click(); return; }
  }
}
function heatBox() {
  if (fields.length < 2) return;
  const h = state.heat, of = (key, name) => el('label', {}, el('span', {}, name), el('select', {
    onchange: (e) => {
      const value = Number(e.currentTarget.value), other = key === 'rows' ? 'columns' : 'rows';
      if (h[other] === value) { h[other] = h[key]; controls[other].value = h[key]; }
      h[key] = value;
      heatMap();
    },
  }, ...fields.map((f, i) => el('option', { value: i }, f.short))));
  const [down, right] = [of('rows', 'Downwards'), of('columns', 'To the right')];
  [controls.rows, controls.columns] = [down.querySelector('select'), right.querySelector('select')];
  [controls.rows.value, controls.columns.value] = [0, 1];
  const what = picker('Figure', h.figure, (v) => { h.figure = v; heatMap(); });
  controls.heatFigure = (v) => { what.querySelector('select').value = v; };
  const how = el('label', {}, el('span', {}, 'Of'), el('select', { onchange: (e) => { h.how = e.currentTarget.value; heatMap(); } }, el('option', { value: 'worst' }, 'the worst run'), el('option', { value: 'median' }, 'the median run')));
  controls.heat = el('table', { class: 'heat' });
  $('heat').append(el('h2', {}, 'Heat map'), el('div', { class: 'controls' }, down, right, what, how), el('div', { class: 'scroll' }, controls.heat));
  painters.push(heatMap);
}
const MOST_ROWS = 300;
/** All settings as a table, for everybody who does not want a picture. */
function settingsTable() {
  const order = [state.across, ...state.upright, ...columns.map((c, i) => i).filter((i) => i !== state.across && !state.upright.includes(i))];
  const list = shown(), by = state.sort;
  const key = (p) => (by === null ? cost(state.across, median(p, state.across)) : by.c === 'label' ? p : cost(by.c, by.c === state.across ? median(p, by.c) : worst(p, by.c)));
  list.sort((a, b) => (key(a) - key(b) || a - b) * (by && by.down ? -1 : 1));
  const sorter = (c, name) => {
    const on = by && by.c === c;
    return el('th', { scope: 'col', 'aria-sort': on ? (by.down ? 'descending' : 'ascending') : 'none' },
      el('button', { class: 'link', 'data-sort': String(c), onclick: () => { state.sort = { c, down: on ? !by.down : false }; settingsTable(); $('settings').querySelector(`[data-sort="${c}"]`).focus(); } }, name + (on ? (by.down ? ' ↓' : ' ↑') : '')));
  };
  const rows = list.slice(0, MOST_ROWS).map((p) => el('tr', { class: p === state.point ? 'differs' : '' },
    el('th', { scope: 'row' }, el('button', { class: 'link', onclick: () => select(p, true) }, `${p === chosen.point ? '★ ' : points[p].own ? '◆ ' : ''}${points[p].label}`)),
    ...order.map((c) => el('td', { class: 'num' }, c === state.across ? said(c, median(p, c)) : figure(p, c)[NEVER] ? `never in ${figure(p, c)[NEVER]}` : said(c, worst(p, c))))));
  controls.table.replaceChildren(
    el('thead', {}, el('tr', {}, sorter('label', 'Setting'), ...order.map((c) => sorter(c, columns[c].words + (c === state.across ? ' (median)' : ''))))), el('tbody', {}, ...rows));
  controls.more.textContent = list.length > MOST_ROWS ? `and ${list.length - MOST_ROWS} more; sweep.csv has them all` : '';
}
function settingsBox() {
  controls.table = el('table', {});
  controls.more = el('p', { class: 'muted' });
  $('settings').append(el('h2', {}, 'All settings'), el('p', { class: 'muted' }, 'The first figure is the median over all runs, the others are the worst of all runs. ★ to choose, ◆ the manifest as it is.'), el('div', { class: 'scroll' }, controls.table), controls.more);
  const refused = points.filter((p) => !p.figures).map((p) => p.label);
  if (refused.length) $('settings').append(el('p', { class: 'muted' }, `Refused: ${refused.slice(0, 40).join('; ')}${refused.length > 40 ? ' and more' : ''}`));
  $('end').append(`seatrial ${data.version}. Seeds from ${sweep.masterSeed}; scenario ${sweep.scenario}. `, el('span', {}, columns.some((c) => c.figure) ? 'Measured too: ' + columns.filter((c) => c.figure).map((c) => `${c.name} = ${c.figure}`).join('; ') : ''));
}
// Runs are told apart by what differs between them.
const differs = (c) => ran.some((p) => figure(p, c)[3] !== figure(p, c)[4]);
state.of = [state.upright[0], state.across, ...state.upright].find(differs) || state.across;
head();
chooseBox();
heatBox();
settingsBox();
plots();
afterwards.push(() => { if (controls.strip) controls.strip.draw(); });
if (ran.length) update();
