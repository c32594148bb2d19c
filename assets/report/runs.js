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
    case 'unsound': case 'unready': case 'lost': return mix(look.badfill, look.plot, 0.4);
    case 'cordoned': return look.cordoned;
    case 'evicting': return look.badfill;
    case 'moment': case 'pods': return look.text;
    default: return look.waiting;
  }
}
function lineOfDisks() { return mix(look.text, look.attaching, 0.45); }
const WORST = ['waiting', 'gated', 'revision', 'pale', 'attaching', 'pulling', 'init', 'good', 'running', 'terminating', 'lost', 'stopped', 'bad', 'sound', 'cordoned', 'unready', 'evicting'];
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
    if (v.nodes) part.append(nodeFigure(v, v.nodes));
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
