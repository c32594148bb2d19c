const data = JSON.parse(document.getElementById('data').textContent);
const root = document.documentElement;
const $ = (id) => document.getElementById(id);

/** Makes an element: el('td', {class: 'num'}, 'text', child). */
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((c) => c !== null && c !== undefined));
  return made;
}

/** A time since the beginning as people write it: 1m02.5s. */
function clock(ms) {
  const sign = ms < 0 ? '-' : '';
  let rest = Math.round(Math.abs(ms) * 1000) / 1000;
  const parts = [], two = (n) => (parts.length ? String(n).padStart(2, '0') : String(n));
  for (const [unit, name] of [[86400000, 'd'], [3600000, 'h'], [60000, 'm']]) {
    const n = Math.floor(rest / unit);
    if (n || parts.length) parts.push((name === 'h' ? n : two(n)) + name);
    rest -= n * unit;
  }
  const [seconds, fraction] = String(Math.round(rest) / 1000).split('.');
  parts.push(two(seconds) + (fraction ? '.' + fraction : '') + 's');
  while (parts.length > 1 && /^0+[hms]$/.test(parts[parts.length - 1])) parts.pop();
  return sign + parts.join('');
}
function length(ms) {
  return clock(ms < 10000 ? Math.round(ms / 100) * 100 : Math.round(ms / 1000) * 1000);
}
// ---- colours -------------------------------------------------------------
const REVISIONS = ['#56b4e9', '#e69f00', '#009e73', '#cc79a7', '#f0e442', '#0072b2'];
let look = {};
function mix(colour, other, share) {
  const parse = (c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16));
  const [a, b] = [parse(colour), parse(other)];
  return '#' + a.map((v, i) => Math.round(v * (1 - share) + b[i] * share).toString(16).padStart(2, '0')).join('');
}
function readLook() {
  const style = getComputedStyle(root);
  const hex = (name) => {
    const value = style.getPropertyValue('--' + name).trim();
    return value.length === 4 ? '#' + [...value.slice(1)].map((c) => c + c).join('') : value;
  };
  for (const name of ['bg', 'card', 'cordoned', 'plot', 'text', 'muted', 'grid', 'line', 'accent', 'available', 'node', 'ready', 'band', 'bandfill', 'waiting', 'gated', 'attaching', 'pulling', 'init', 'terminating', 'goodfill', 'badfill', 'stopped', 'running', 'older', 'bad', 'good', 'focus', 'trackgood', 'trackbusy', 'ownmark']) look[name] = hex(name);
  look.dark = root.dataset.theme === 'dark';
}
function textOn(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 299 * r + 587 * g + 114 * b > 128000 ? '#1b1f24' : '#ffffff';
}

// ---- what every page has -------------------------------------------------
/** Whatever is drawn: each has draw(). */
const charts = [];
/** What is done after everything was drawn, and whenever colours change. */
const afterwards = [], painters = [];
let pending = false;
function redraw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; charts.forEach((c) => c.draw()); afterwards.forEach((f) => f()); });
}
function setTheme(name) {
  root.dataset.theme = name;
  readLook();
  painters.forEach((p) => p());
  redraw();
}
/** The buttons that every page has. */
function pageButtons() {
  return [
    el('button', { onclick: () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark') }, 'Dark / light'),
    el('button', { onclick: () => print() }, 'Print')];
}
/** Shows a text beside a point of the window; hides it without a text. */
function tell(text, x, y) {
  const tip = $('tip');
  tip.hidden = !text;
  if (!text) return;
  if (tip.textContent !== text) tip.textContent = text;
  tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 8)) + 'px';
  tip.style.top = Math.max(4, Math.min(y + 16, innerHeight - tip.offsetHeight - 8)) + 'px';
}
/** Makes a canvas as sharp as the screen, and its pen. */
function pen(canvas, height) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || 900;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const c = canvas.getContext('2d');
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  c.font = "12px 'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif";
  c.textBaseline = 'middle';
  return [c, width];
}
/** The place of a pointer in an element. */
function placeIn(element, e) {
  const r = element.getBoundingClientRect();
  return [e.clientX - r.left, e.clientY - r.top];
}
/** A text cut to some room. */
function fit(c, text, room) {
  if (c.measureText(text).width <= room) return text;
  let short = text;
  while (short.length > 2 && c.measureText(short + '…').width > room) short = short.slice(0, -1);
  return short + '…';
}
/** A round distance that is at least so long: milliseconds as people count them. */
function roundStep(span, most) {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 432e6, 864e6, 1728e6, 432e7, 864e7, 432e8];
  return steps.find((s) => span / s <= most) || steps[steps.length - 1];
}
