// One page, no libraries: the graph stands in #data, laid out by Polster; `only` lays a part out again.
// The drawing: `page_panel.js` follows in the same function.
const data = JSON.parse(document.getElementById("data").textContent);
const { width: W, height: H, row: ROW, gap: GAP, head: HEAD, margin: MARGIN } = data.sizes;
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const LAYERS = ["elsewhere", "bronze", "silver", "gold"].filter((l) => data.nodes.some((n) => n.layer === l));

const assets = data.nodes.map((node, index) => ({
  ...node, index, stem: node.layer === "elsewhere" ? node.name : `${node.layer}_${node.name}`, up: [], down: [], el: null,
}));
const byStem = new Map(assets.map((a) => [a.stem, a]));
const wires = data.edges.map(([from, to]) => {
  const wire = { from: assets[from], to: assets[to], el: null };
  wire.from.down.push(wire.to);
  wire.to.up.push(wire.from);
  return wire;
});
const READABLE = 0.85; // the scale below which a large graph is not shrunk unless one asks
let chosen = null;
let only = false;
let view = { x: 0, y: 0, k: 1 };

// ---- small helpers -------------------------------------------------------------------------
function make(tag, attributes = {}, ...children) {
  const el = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  el.append(...children);
  return el;
}
function html(tag, properties = {}, ...children) {
  const el = Object.assign(document.createElement(tag), properties);
  el.append(...children);
  return el;
}
const shortened = (text, length) =>
  text.length <= length ? text : text.slice(0, length - 1).trimEnd() + "…";
function reach(start, side) {
  const found = new Set();
  const todo = [start];
  while (todo.length) {
    for (const other of todo.pop()[side]) {
      if (!found.has(other) && other !== start) { found.add(other); todo.push(other); }
    }
  }
  return found;
}

// ---- the picture ---------------------------------------------------------------------------
function curve(a, b) {
  const x1 = a.px + W, y1 = a.py + H / 2, x2 = b.px, y2 = b.py + H / 2;
  const bend = Math.max(Math.abs(x2 - x1) * 0.45, 40);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
function draw() {
  for (const asset of assets) {
    const label = asset.description ? `${asset.stem}: ${asset.description}` : asset.stem;
    const el = make("g", { class: `node ${asset.layer}`, tabindex: "0", role: "button", "aria-label": label });
    el.append(
      make("rect", { class: "card", width: W, height: H, rx: 7 }),
      make("rect", { class: "medal", x: 0, y: 9, width: 3, height: H - 18, rx: 1.5 }),
      make("text", { class: "name", x: 15, y: asset.description ? 20 : H / 2 + 4.5 }, shortened(asset.name, 28)),
    );
    if (asset.description) el.append(make("text", { class: "text", x: 15, y: 36 }, shortened(asset.description, 34)));
    el.addEventListener("click", (event) => { event.stopPropagation(); if (!moved) choose(asset); });
    el.addEventListener("keydown", (event) => walk(event, asset));
    asset.el = el;
  }
  for (const wire of wires) wire.el = make("path", { class: "wire" });
  $("nodes").append(...assets.map((a) => a.el));
  $("wires").append(...wires.map((w) => w.el));
}
function layout() {
  const shown = new Set(only && chosen ? [chosen, ...reach(chosen, "up"), ...reach(chosen, "down")] : assets);
  const places = only && chosen ? arrange(shown) : null;
  for (const asset of assets) {
    asset.shown = shown.has(asset);
    [asset.px, asset.py] = places ? places.get(asset) ?? [0, 0] : [asset.x, asset.y];
    asset.el.style.display = asset.shown ? "" : "none";
    asset.el.setAttribute("transform", `translate(${asset.px} ${asset.py})`);
  }
  for (const wire of wires) {
    const visible = wire.from.shown && wire.to.shown;
    wire.el.style.display = visible ? "" : "none";
    if (visible) wire.el.setAttribute("d", curve(wire.from, wire.to));
  }
  heads(shown);
}
function heads(shown) {
  $("heads").replaceChildren(...LAYERS.map((layer, n) => {
    const x = MARGIN + n * (W + GAP);
    const count = [...shown].filter((a) => a.layer === layer).length;
    return make("g", { class: layer },
      make("circle", { class: "medal", cx: x + 5, cy: MARGIN + 2, r: 5 }),
      make("text", { class: "head", x: x + 18, y: MARGIN + 6 }, `${layer.toUpperCase()} ${count.toLocaleString("en")}`));
  }));
}
// The same method as Polster's own layout: keep the order, move towards the neighbours.
function arrange(shown) {
  const columns = LAYERS.map((layer) => [...shown].filter((a) => a.layer === layer).sort((a, b) => a.y - b.y));
  const place = new Map();
  for (const column of columns) column.forEach((asset, n) => place.set(asset, n));
  for (let sweep = 0; sweep < 12; sweep++) {
    for (const column of sweep % 2 ? columns : [...columns].reverse()) {
      const wanted = column.map((asset) => {
        const near = [...asset.up, ...asset.down].filter((a) => shown.has(a)).map((a) => place.get(a));
        return near.length ? near.reduce((sum, y) => sum + y, 0) / near.length : place.get(asset);
      });
      spread(wanted).forEach((y, n) => place.set(column[n], y));
    }
  }
  const top = Math.min(...place.values());
  const result = new Map();
  columns.forEach((column, n) => column.forEach((asset) =>
    result.set(asset, [MARGIN + n * (W + GAP), HEAD + (place.get(asset) - top) * ROW])));
  return result;
}
function spread(wanted) {
  const blocks = [];
  wanted.forEach((height, row) => {
    let [mean, size] = [height - row, 1];
    while (blocks.length && blocks.at(-1)[0] > mean) {
      const [other, count] = blocks.pop();
      [mean, size] = [(mean * size + other * count) / (size + count), size + count];
    }
    blocks.push([mean, size]);
  });
  return blocks.flatMap(([mean, size]) => Array(size).fill(mean)).map((mean, row) => mean + row);
}

// ---- moving about --------------------------------------------------------------------------
const picture = $("picture");
function show(next) {
  view = next;
  $("world").setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`);
  picture.classList.toggle("far", view.k < 0.55);
  picture.classList.toggle("farther", view.k < 0.28);
}
function bounds() {
  const shown = assets.filter((a) => a.shown);
  if (!shown.length) return [0, 0, 1, 1];
  const right = Math.max(...shown.map((a) => a.px)) + W + MARGIN;
  const bottom = Math.max(...shown.map((a) => a.py)) + H + MARGIN;
  return [0, 0, right, bottom];
}
function fit(whole) {
  const [, , right, bottom] = bounds();
  const box = picture.getBoundingClientRect();
  const wide = Math.min(box.width / right, 1.15);
  const all = Math.min(wide, box.height / bottom);
  const k = whole ? all : Math.max(all, Math.min(wide, READABLE));
  const y = bottom * k < box.height ? (box.height - bottom * k) / 2 : 0;
  show({ k, x: (box.width - right * k) / 2, y: Math.min(y, 90) });
}
function zoom(factor, x, y) {
  const k = Math.min(Math.max(view.k * factor, 0.02), 3);
  show({ k, x: x - (x - view.x) * (k / view.k), y: y - (y - view.y) * (k / view.k) });
}
// Bring an asset and, as far as they fit, its neighbours into view; move no more than that takes.
function reveal(asset) {
  const box = picture.getBoundingClientRect();
  const [, , right, bottom] = bounds();
  if (Math.min(box.width / right, box.height / bottom) >= 0.6) { fit(false); return; }
  const near = [asset, ...asset.up, ...asset.down].filter((a) => a.shown);
  const across = [asset, ...reach(asset, "up"), ...reach(asset, "down")].map((a) => a.px);
  const left = Math.min(...across), end = Math.max(...across) + W;
  const k = Math.min(Math.max(view.k, 0.6), Math.max((box.width - 40) / (end - left), 0.3));
  let top = Math.min(...near.map((a) => a.py)), low = Math.max(...near.map((a) => a.py)) + H;
  if ((low - top) * k > box.height - 40) [top, low] = [asset.py, asset.py + H];
  const x = view.x + left * k, y = view.y + top * k;
  const inside = x > 10 && y > 10 && x + (end - left) * k < box.width - 10 && y + (low - top) * k < box.height - 10;
  if (inside && k === view.k) return;
  show({ k, x: box.width / 2 - ((left + end) / 2) * k, y: box.height / 2 - ((top + low) / 2) * k });
}
let moved = false;
const pointers = new Map();
picture.addEventListener("pointerdown", (event) => {
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  moved = false;
});
window.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
  const now = [event.clientX, event.clientY];
  if (!moved && Math.hypot(now[0] - last[0], now[1] - last[1]) < 4) return;
  moved = true;
  picture.classList.add("dragging");
  if (others.length) {
    const box = picture.getBoundingClientRect();
    const distance = (p) => Math.hypot(p[0] - others[0][0], p[1] - others[0][1]) || 1;
    zoom(distance(now) / distance(last), others[0][0] - box.left, others[0][1] - box.top);
  } else {
    show({ k: view.k, x: view.x + now[0] - last[0], y: view.y + now[1] - last[1] });
  }
  pointers.set(event.pointerId, now);
});
for (const kind of ["pointerup", "pointercancel"]) {
  window.addEventListener(kind, (event) => { pointers.delete(event.pointerId); picture.classList.remove("dragging"); });
}
picture.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = picture.getBoundingClientRect();
  if (event.ctrlKey || event.metaKey || !event.shiftKey && Math.abs(event.deltaX) < 1 && event.deltaMode === 1) {
    zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.01)), event.clientX - box.left, event.clientY - box.top);
  } else {
    const [dx, dy] = event.shiftKey ? [event.deltaY, event.deltaX] : [event.deltaX, event.deltaY];
    show({ k: view.k, x: view.x - dx, y: view.y - dy });
  }
}, { passive: false });
picture.addEventListener("click", () => { if (!moved) choose(null); });
const centre = (factor) => { const box = picture.getBoundingClientRect(); zoom(factor, box.width / 2, box.height / 2); };
$("in").onclick = () => centre(1.3);
$("out").onclick = () => centre(1 / 1.3);
$("fit").onclick = () => fit(true);
$("only").onclick = () => { only = !only; update(true); };
