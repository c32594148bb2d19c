// ---- what is shown -------------------------------------------------------
const whole = [0, Math.max(...data.variants.map((v) => v.until), 1)];
const first = [Math.min(...data.variants.map((v) => v.window[0])), Math.max(...data.variants.map((v) => v.window[1]))];
const view = { from: first[0], to: Math.max(first[1], first[0] + 1) };
const hidden = new Set();
let selected = null;
function setView(from, to) {
  const least = 5;
  let width = Math.min(Math.max(to - from, least), whole[1] - whole[0] || least);
  let begin = Math.min(Math.max(from, whole[0]), whole[1] - width);
  view.from = begin;
  view.to = begin + width;
  redraw();
}
function zoom(factor, around) {
  const at = around === undefined ? (view.from + view.to) / 2 : around;
  setView(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
function showRange() {
  const range = document.querySelector('.range');
  if (range) range.textContent = `${clock(Math.round(view.from))} to ${clock(Math.round(view.to))}`;
}

// ---- drawing -------------------------------------------------------------
const AXIS = 22, TRACK = 19;
function laneHeight(n) { return n <= 8 ? 24 : n <= 16 ? 19 : n <= 40 ? 12 : 7; }
/** The index of the last point at or before a time, in [t, v, t, v, …]. */
function upTo(points, at) {
  let low = 0, high = points.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[2 * middle] <= at) low = middle + 1; else high = middle;
  }
  return low - 1;
}
function valueAt(points, at) {
  const i = upTo(points, at);
  return i < 0 ? 0 : points[2 * i + 1];
}
function most(points) {
  let best = 0;
  for (let i = 1; i < points.length; i += 2) if (points[i] > best) best = points[i];
  return best;
}

/** The most between two moments. */
function mostIn(points, from, to) {
  let best = valueAt(points, from);
  for (let i = upTo(points, from) + 1; 2 * i < points.length && points[2 * i] <= to; i++) best = Math.max(best, points[2 * i + 1]);
  return best;
}

/** Plots below each other on an axis of time that all share. */
class Plot {
  constructor(variant, workload, canvas) {
    this.variant = variant;
    this.workload = workload;
    this.canvas = canvas;
    this.brush = null;
    [this.left, this.right] = [92, 118];
    this.listen();
  }
  /** Says where everything but the axis ends. */
  endsAt(bottom) {
    this.bottom = bottom;
    this.height = bottom + AXIS + 4;
    this.canvas.style.height = this.height + 'px';
  }
  /** Begins to draw, with what stands behind everything. */
  begin() {
    const [c, outer] = pen(this.canvas, this.height);
    // On a phone the plot needs the room more than the words beside it.
    [this.left, this.right] = outer < 520 ? [62, 88] : [92, 118];
    this.width = Math.max(50, outer - this.left - this.right);
    this.c = c;
    this.ground();
  }
  /** After a run's end nothing is known. */
  drawEnd() {
    const x = this.x(this.variant.until), right = this.left + this.width;
    if (x < right - 1) {
      this.c.fillStyle = look.bg + 'dd';
      this.c.fillRect(Math.max(x, this.left), 20, right - Math.max(x, this.left), this.plotEnd - 20);
    }
  }
  /** What stands behind everything: the areas, and the axis of time. */
  ground() {
    const c = this.c, right = this.left + this.width;
    const areas = this.areas();
    const step = roundStep(view.to - view.from, this.width / (this.left < 92 ? 55 : 90));
    c.textAlign = 'center';
    for (const [top, end] of areas) {
      c.fillStyle = look.plot;
      c.fillRect(this.left, top, this.width, end - top);
    }
    for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
      const x = Math.round(this.x(at)) + 0.5;
      c.strokeStyle = look.grid;
      c.lineWidth = 1;
      for (const [top, end] of areas) { c.beginPath(); c.moveTo(x, top); c.lineTo(x, end); c.stroke(); }
      c.fillStyle = look.muted;
      c.fillText(clock(at), Math.min(Math.max(x, this.left + 10), right), this.bottom + AXIS / 2 + 2);
    }
    c.strokeStyle = look.muted;
    c.beginPath(); c.moveTo(this.left, this.bottom + 0.5); c.lineTo(right, this.bottom + 0.5); c.stroke();
  }
  x(at) { return this.left + (at - view.from) / (view.to - view.from) * this.width; }
  at(x) { return view.from + (x - this.left) / this.width * (view.to - view.from); }
  clip(top, end, body) {
    const c = this.c;
    c.save();
    c.beginPath();
    c.rect(this.left, top, this.width, end - top);
    c.clip();
    body();
    c.restore();
  }
  label(text, y, colour) {
    const c = this.c;
    c.textAlign = 'right';
    c.fillStyle = colour || look.muted;
    c.fillText(this.fit(text, this.left - 14), this.left - 8, y);
  }
  note(text, y, colour) {
    const c = this.c;
    c.textAlign = 'left';
    c.fillStyle = colour || look.muted;
    c.fillText(this.fit(text, this.right - 12), this.left + this.width + 8, y);
  }
  fit(text, room) { return fit(this.c, text, room); }
  /** A step line; what happens within a pixel is drawn from least to greatest. */
  steps(points, y, top, end) {
    const c = this.c;
    this.clip(top - 3, end + 3, () => {
      let i = Math.max(0, upTo(points, view.from));
      let level = y(valueAt(points, view.from));
      c.beginPath();
      c.moveTo(this.left, level);
      for (i = upTo(points, view.from) + 1; 2 * i < points.length && points[2 * i] <= view.to;) {
        const column = Math.floor(this.x(points[2 * i]));
        let low = points[2 * i + 1], high = low, last = low, x = this.x(points[2 * i]);
        for (i++; 2 * i < points.length && Math.floor(this.x(points[2 * i])) === column; i++) {
          last = points[2 * i + 1];
          if (last < low) low = last;
          if (last > high) high = last;
        }
        c.lineTo(x, level);
        if (low !== high) { c.lineTo(x, y(low)); c.lineTo(x, y(high)); }
        level = y(last);
        c.lineTo(x, level);
      }
      c.lineTo(this.left + this.width, level);
      c.stroke();
    });
  }
  /** Lines and numbers of a plot; says where a value is. */
  scale(top, end, max, unit = 1, apart = 26) {
    const c = this.c, wanted = max / unit / ((end - top) / apart);
    const round = [0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].filter((s) => s >= 1 || unit > 1);
    const step = unit * (round.find((s) => s >= wanted) || 100000);
    const y = (v) => end - v / max * (end - top);
    for (let v = 0; v <= max; v += step) {
      const at = Math.round(y(v)) + 0.5;
      c.strokeStyle = look.grid;
      c.lineWidth = 1;
      c.beginPath(); c.moveTo(this.left, at); c.lineTo(this.left + this.width, at); c.stroke();
      this.label(String(v / unit), at);
    }
    return y;
  }
  /** What of a step function lies between two values, as an area. */
  area(points, y, colour, low, high, top, end) {
    const c = this.c;
    this.clip(top, end, () => {
      c.fillStyle = colour + (low > 0 ? 'dd' : '88');
      const put = (from, to, value) => {
        const v = Math.min(value, high);
        if (v > low) c.fillRect(from, y(v), Math.max(to - from, 0.5), y(low) - y(v));
      };
      let x = this.left, value = valueAt(points, view.from);
      for (let i = upTo(points, view.from) + 1; 2 * i < points.length && points[2 * i] <= view.to; i++) {
        const next = this.x(points[2 * i]);
        put(x, next, value);
        [x, value] = [next, points[2 * i + 1]];
      }
      put(x, this.left + this.width, value);
    });
  }
  names(names, top, end) {
    names.sort((a, b) => a[0] - b[0]);
    let free = top - 8;
    const places = names.map(([y]) => { const at = Math.max(y, free + 14); free = at; return at; });
    let over = Math.max(0, free - (end + 4));
    for (let i = places.length - 1; i >= 0 && over > 0; i--) places[i] -= over;
    names.forEach(([, text, colour], i) => this.note(text, places[i], colour));
  }
  /** Step functions on top of each other, or the band between two. */
  stack(layers, y, band, top, end) {
    const c = this.c;
    const bounds = new Map();
    bounds.set(this.left, view.from);
    for (const [points] of layers) {
      for (let i = upTo(points, view.from) + 1; 2 * i < points.length && points[2 * i] <= view.to; i++) {
        bounds.set(Math.round(this.x(points[2 * i]) * 2) / 2, points[2 * i]);
      }
    }
    const xs = [...bounds.entries()].sort((a, b) => a[0] - b[0]);
    this.clip(top, end, () => {
      xs.forEach(([x, at], i) => {
        const next = i + 1 < xs.length ? xs[i + 1][0] : this.left + this.width;
        let below = 0;
        for (const [points, colour, base] of layers) {
          const value = Math.max(0, valueAt(points, at));
          const from = band ? (base ? valueAt(base, at) : 0) : below;
          const to = band ? value : below + value;
          if (colour && to > from) {
            c.fillStyle = colour;
            c.fillRect(Math.round(x), y(to), Math.round(next) - Math.round(x), y(from) - y(to));
          }
          below = to;
        }
      });
    });
  }
  /** The last record about this workload at or before a time. */
  nearest(at) {
    const v = this.variant;
    for (let i = recordAt(v, at), n = 0; i >= 0 && n < 5000; i--, n++) {
      const top = v.subjects[rootOf(v, record(v, i).subject)];
      if (top && top[0].endsWith(' ' + this.workload.name)) return i;
    }
    return recordAt(v, at);
  }
  listen() {
    const canvas = this.canvas, place = (e) => placeIn(canvas, e);
    let down = null;
    canvas.addEventListener('pointermove', (e) => {
      const [x, y] = place(e);
      if (down !== null && Math.abs(x - down) > 4) { this.brush = [Math.max(this.left, down), Math.min(x, this.left + this.width)]; redraw(); }
      const found = this.under(x, y);
      tell(found && `${clock(Math.round(this.at(x)))}: ${found.text}`, e.clientX, e.clientY);
    });
    canvas.addEventListener('pointerleave', () => tell(null));
    canvas.addEventListener('pointerdown', (e) => { if (e.button === 0) { down = place(e)[0]; canvas.setPointerCapture(e.pointerId); } });
    canvas.addEventListener('pointerup', (e) => {
      const [x, y] = place(e);
      const brushed = this.brush;
      [down, this.brush] = [null, null];
      if (brushed && Math.abs(brushed[1] - brushed[0]) > 6) {
        setView(this.at(Math.min(...brushed)), this.at(Math.max(...brushed)));
        return;
      }
      const found = this.under(x, y);
      if (found) {
        this.cursor = found.cursor || null;
        explain(this.variant, found.record);
        log.show(this.variant, found.record);
      }
    });
    canvas.addEventListener('pointercancel', () => { [down, this.brush] = [null, null]; redraw(); });
    canvas.addEventListener('dblclick', () => setView(...first));
    canvas.addEventListener('wheel', (e) => {
      if (!e.ctrlKey && !e.shiftKey && !e.metaKey) return;
      e.preventDefault();
      const [x] = place(e);
      if (e.shiftKey && !e.ctrlKey) { const by = (e.deltaY || e.deltaX) / 400 * (view.to - view.from); setView(view.from + by, view.to + by); }
      else zoom(Math.exp(e.deltaY / 300), this.at(x));
    }, { passive: false });
    canvas.addEventListener('keydown', (e) => this.key(e));
  }
  /** A line down from each action, and its words where there is room; of those in one place the first. */
  drawActions() {
    const c = this.c, end = this.left + this.width + this.right - 6, marks = [];
    c.textAlign = 'left';
    for (const action of this.variant.actions) {
      if (action.at < view.from || action.at > view.to) continue;
      const x = Math.round(this.x(action.at)) + 0.5, last = marks[marks.length - 1];
      c.strokeStyle = look.muted;
      c.lineWidth = 1;
      c.beginPath(); c.moveTo(x, 4); c.lineTo(x, this.plotEnd); c.stroke();
      if (last && x - last.x < 3) last.more++;
      else marks.push({ x, more: 0, text: action.short + (action.refused ? ` (refused: ${action.refused})` : '') });
    }
    const words = (mark) => (mark.more ? `${mark.text} (+${mark.more})` : mark.text);
    // Where there is no room for the next one's words they are counted.
    for (let i = 0; i + 1 < marks.length;) {
      const room = marks[i + 1].x - marks[i].x - 10;
      if (room >= Math.min(90, c.measureText(words(marks[i])).width)) i++;
      else marks[i].more += marks.splice(i + 1, 1)[0].more + 1;
    }
    for (const [i, mark] of marks.entries()) {
      const short = this.fit(words(mark), (marks[i + 1] ? marks[i + 1].x - 5 : end) - mark.x - 5);
      c.fillStyle = look.card;
      c.fillRect(mark.x + 2, 2, c.measureText(short).width + 6, 14);
      c.fillStyle = look.text;
      c.fillText(short, mark.x + 5, 9);
    }
  }
  /** The line of what is explained, and what a drag has covered so far. */
  drawSelected() {
    const c = this.c;
    if (selected && selected.variant === this.variant) {
      const at = record(this.variant, selected.id).at;
      if (at >= view.from && at <= view.to) {
        c.strokeStyle = look.focus;
        c.lineWidth = 2;
        c.beginPath(); c.moveTo(this.x(at), 0); c.lineTo(this.x(at), this.plotEnd); c.stroke();
      }
    }
    if (this.brush) {
      c.fillStyle = look.accent + '33';
      c.fillRect(Math.min(...this.brush), 0, Math.abs(this.brush[1] - this.brush[0]), this.plotEnd);
    }
  }
  key(e) {
    if (e.key === '+' || e.key === '=') zoom(0.7);
    else if (e.key === '-') zoom(1.4);
    else if (e.key === '0') setView(...first);
  }
}

