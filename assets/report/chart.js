// ---- lanes, counts and series of a workload ------------------------------
class Chart extends Plot {
  constructor(variant, workload, canvas) {
    super(variant, workload, canvas);
    this.cursor = null;
    this.place(workload.lanes);
  }
  laneHeight(n) { return laneHeight(n); }
  /** Says where everything is with these lanes. */
  place(lanes) {
    const workload = this.workload, n = workload.bands ? 0 : Math.max(1, lanes.lanes.length);
    this.lanes = lanes;
    this.lane = this.laneHeight(n);
    this.momentsTop = 20;
    this.lanesTop = this.momentsTop + (lanes.moments ? 20 : 0);
    this.lanesEnd = this.lanesTop + n * this.lane;
    this.countTop = this.lanesEnd + 18;
    this.countEnd = this.countTop + (lanes.count ? 70 : 0);
    this.plotTop = lanes.count ? this.countEnd + 18 : this.countTop;
    this.plotEnd = this.plotTop + (workload.runs ? -18 : 170);
    this.tracksTop = this.plotEnd + (workload.conditions.length ? 8 : 0);
    this.endsAt(this.tracksTop + workload.conditions.length * TRACK);
    this.ordered = lanes.lanes.map((l) => l.bars.slice().sort((a, b) => a[0] - b[0]));
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
          const x0 = Math.max(this.x(from), this.left), x1 = Math.min(this.x(to), this.left + this.width);
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
        this.label(lane.name, y + h / 2, lane.head ? look.text : undefined);
        if (lane.note) this.note(lane.note, y + h / 2);
      }
      this.clip(y, y + h, () => this.drawLane(i, lane, y + gap / 2, h - gap));
    });
    this.c.font = "12px 'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif";
  }
  drawLane(i, lane, y, h) {
    this.drawBars(i, y, h);
    this.drawTicks(lane, y, h);
  }
  drawBars(i, y, h) {
    const seen = this.visible(i);
    const drawn = seen.filter((b) => !hidden.has(b[2]));
    if (drawn.length > this.width / 2) this.drawDense(drawn, y, h);
    else {
      for (const b of drawn) this.fill(b[2], b[3], b[4], this.x(b[0]), Math.max(this.x(b[1]), this.x(b[0]) + 1), y, h);
      if (h >= 14) for (const b of drawn) this.barText(b, y, h);
    }
  }
  drawTicks(lane, y, h) {
    for (const [at, tone] of lane.ticks) {
      if (at < view.from || at > view.to) continue;
      this.tick(tone, Math.round(this.x(at)), y, h);
    }
  }
  tick(tone, x, y, h) {
    this.c.fillStyle = toneColour(tone, 0);
    this.c.fillRect(x - 1, y, 2, h);
  }
  drawDense(bars, y, h) {
    const columns = new Int8Array(Math.ceil(this.width) + 1).fill(-1), owner = new Array(columns.length);
    for (const b of bars) {
      const rank = WORST.indexOf(b[2]);
      const x0 = Math.max(0, Math.floor(this.x(b[0]) - this.left)), x1 = Math.min(columns.length, Math.max(x0 + 1, Math.floor(this.x(b[1]) - this.left)));
      for (let x = x0; x < x1; x++) if (columns[x] < rank) { columns[x] = rank; owner[x] = b; }
    }
    for (let x = 0; x < columns.length;) {
      if (columns[x] < 0) { x++; continue; }
      let end = x + 1;
      while (end < columns.length && columns[end] === columns[x] && owner[end][3] === owner[x][3]) end++;
      this.fill(owner[x][2], owner[x][3], owner[x][4], this.left + x, this.left + end, y, h);
      x = end;
    }
  }
  fill(tone, revision, thin, x0, x1, y, h) {
    const c = this.c;
    c.fillStyle = toneColour(tone, revision);
    if (thin) { c.fillRect(x0, y + h / 2 - 1.5, x1 - x0, 3); return; }
    c.fillRect(x0, y, x1 - x0, h);
    if ((tone === 'terminating' || tone === 'evicting') && h >= 8) {
      c.fillStyle = look.plot + '99';
      const begin = Math.max(x0, this.left), end = Math.min(x1, this.left + this.width);
      for (let x = Math.ceil(begin / 6) * 6; x < end - 1; x += 6) c.fillRect(x, y, 2, h);
    }
    if (tone === 'attaching' && h >= 8) {
      c.fillStyle = lineOfDisks();
      for (let line = y + 2; line < y + h - 1; line += 5) c.fillRect(x0, line, x1 - x0, 1);
    }
  }
  barText(b, y, h) {
    if (!b[5].length) return;
    const c = this.c, x0 = Math.max(this.x(b[0]), this.left), x1 = Math.min(this.x(b[1]), this.left + this.width), room = x1 - x0 - 8;
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
    // What still runs at the end has not ended then.
    const now = valueAt(k.points, Math.min(view.to, this.variant.until - 0.001));
    const said = k.aboveIsBad ? `${k.name}, at most ${mostIn(k.points, view.from, view.to)}` : `${k.name} ${now}`;
    const names = [[y(now), said, k.tone === 'good' ? look.good : look.accent]];
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
      c.beginPath(); c.moveTo(this.left, y(k.limit.value)); c.lineTo(this.left + this.width, y(k.limit.value)); c.stroke();
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
      c.strokeRect(Math.max(this.left, this.x(b[0])) - 1, this.lanesTop + i * this.lane, Math.max(3, Math.min(this.x(b[1]), this.left + this.width) - Math.max(this.left, this.x(b[0])) + 2), this.lane - 1);
    }
  }
  /** What lies under a point: a text and the record that it leads to. */
  under(px, py) {
    const at = this.at(px);
    if (px < this.left - 4 || px > this.left + this.width + 4) return null;
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
      const lanes = this.lanes.lanes, head = (lane) => lanes[lane] && lanes[lane].head;
      let [i, k] = this.cursor || [head(0) ? 1 : 0, -1];
      if (!lanes.length) return;
      if (di) {
        const at = this.ordered[i] && this.ordered[i][k] ? this.ordered[i][k][0] : view.from;
        const next = i + (head(i + di) ? 2 * di : di);
        if (lanes[next]) i = next;
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

