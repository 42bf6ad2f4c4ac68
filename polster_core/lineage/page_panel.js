// What is chosen, and the panel that tells of it: `page_drawing.js` stands above in the same function.
// ---- choosing ------------------------------------------------------------------------------
function choose(asset, { keepView = false } = {}) {
  const was = only;
  chosen = asset;
  if (!asset) only = false;
  update(was || only);
  if (asset && !keepView && !only) reveal(asset);
}
function update(again) {
  if (again) { layout(); fit(false); }
  const up = chosen ? reach(chosen, "up") : new Set();
  const down = chosen ? reach(chosen, "down") : new Set();
  picture.classList.toggle("lit", Boolean(chosen));
  for (const asset of assets) {
    asset.el.classList.toggle("chosen", asset === chosen);
    asset.el.classList.toggle("on", asset === chosen || up.has(asset) || down.has(asset));
  }
  for (const { from, to, el } of wires) {
    el.classList.toggle("up", up.has(from) && (to === chosen || up.has(to)));
    el.classList.toggle("down", down.has(to) && (from === chosen || down.has(from)));
  }
  $("only").hidden = !chosen;
  $("only").setAttribute("aria-pressed", String(only));
  for (const link of $("list").querySelectorAll("a")) link.classList.toggle("chosen", link.dataset.stem === chosen?.stem);
  details(up, down);
  const hash = chosen ? `#${encodeURIComponent(chosen.stem)}${only ? "/only" : ""}` : "";
  if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname + location.search);
}
function fromHash() {
  const [stem, mode] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const asset = byStem.get(stem) ?? null;
  only = Boolean(asset) && mode === "only";
  chosen = asset;
  update(true);
  if (asset && !only) reveal(asset);
}
window.addEventListener("hashchange", fromHash);
function walk(event, asset) {
  if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(asset); return; }
  const column = assets.filter((a) => a.shown && a.layer === asset.layer).sort((a, b) => a.py - b.py);
  const at = column.indexOf(asset);
  const next = {
    ArrowLeft: asset.up.find((a) => a.shown), ArrowRight: asset.down.find((a) => a.shown),
    ArrowUp: column[at - 1], ArrowDown: column[at + 1],
  }[event.key];
  if (!next) return;
  event.preventDefault();
  reveal(next);
  next.el.focus({ preventScroll: true });
}

// ---- the panel of one asset ----------------------------------------------------------------
function link(asset, ...children) {
  const el = html("a", { href: `#${encodeURIComponent(asset.stem)}`, title: asset.stem });
  el.dataset.stem = asset.stem;
  el.append(...children);
  el.addEventListener("click", (event) => { event.preventDefault(); choose(asset); });
  return el;
}
function neighbours(title, direct, all) {
  if (!direct.length) return [];
  const more = all.size > direct.length ? html("span", { className: "all" }, `  ${direct.length} direct, ${all.size} in all`) : "";
  const items = direct.map((asset) => html("li", {}, link(asset, html("span", { className: `dot ${asset.layer}` }), asset.stem)));
  return [html("h2", {}, title, more), html("ul", {}, ...items)];
}
function file(path) {
  const copy = html("button", { className: "copy", type: "button" }, "copy");
  copy.onclick = async () => {
    try { await navigator.clipboard.writeText(path); copy.textContent = "copied"; } catch { copy.textContent = "press Ctrl+C"; getSelection().selectAllChildren(copy.previousSibling); }
    setTimeout(() => { copy.textContent = "copy"; }, 1500);
  };
  return html("div", { className: "file" }, html("code", {}, path), copy);
}
// What a column depends on, as lines; the assets on its way are lit.
function way(name) {
  const column = data.columns[name];
  const rows = column?.rows.length ? [html("div", { className: "rows" }, `rows: ${column.rows.join(", ")}`)] : [];
  const from = column?.own.length ? [html("ul", {}, ...column.own.map(way))] : [];
  return html("li", {}, html("code", {}, name + (column?.opaque ? "  (opaque)" : "")), ...rows, ...from);
}
function onWay(name) {
  return [name.slice(0, name.lastIndexOf(".")), ...(data.columns[name]?.own ?? []).flatMap(onWay)];
}
function columns() {
  const mine = Object.entries(data.columns).filter(([name]) => name.startsWith(`${chosen.stem}.`));
  if (!mine.length) return [];
  const drawn = html("ul", { id: "way" });
  const items = mine.map(([name, column]) => {
    const el = html("button", { type: "button", className: "column" }, column.name);
    el.onclick = () => {
      drawn.replaceChildren(way(name));
      const lit = new Set(onWay(name));
      for (const asset of assets) asset.el.classList.toggle("on", lit.has(asset.stem));
    };
    return el;
  });
  return [html("h2", {}, "Columns"), html("div", { className: "columns" }, ...items), drawn];
}
function details(up, down) {
  const panel = $("details");
  panel.hidden = !chosen;
  if (!chosen) return;
  const close = html("button", { id: "close", ariaLabel: "Close" }, "×");
  close.onclick = () => choose(null);
  const files = [chosen.core_file, chosen.asset_file].filter(Boolean);
  panel.replaceChildren(
    close,
    html("div", { className: "layer" }, html("span", { className: `dot ${chosen.layer}` }), chosen.layer),
    html("div", { className: "title" }, chosen.name),
    ...(chosen.description ? [html("p", {}, chosen.description)] : []),
    ...neighbours("Depends on", chosen.up, up),
    ...neighbours("Used by", chosen.down, down),
    ...columns(),
    html("h2", {}, "Files"), ...files.map(file),
    html("h2", {}, "Key in Dagster"), file(chosen.key),
  );
}

// ---- the list and the search ---------------------------------------------------------------
const names = new Intl.Collator("en", { numeric: true });
const byName = (a, b) => names.compare(a.name, b.name);
function matches(asset, words) {
  const text = `${asset.stem} ${asset.key} ${asset.description}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
function marked(name, words) {
  const at = words.length === 1 ? name.toLowerCase().indexOf(words[0]) : -1;
  if (at < 0) return [name];
  return [name.slice(0, at), html("mark", {}, name.slice(at, at + words[0].length)), name.slice(at + words[0].length)];
}
function list() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const parts = [];
  for (const layer of LAYERS) {
    const found = assets.filter((a) => a.layer === layer && matches(a, words)).sort(byName);
    if (!found.length) continue;
    parts.push(html("h2", {}, html("span", { className: `dot ${layer}` }), `${layer} ${found.length.toLocaleString("en")}`));
    parts.push(...found.map((asset) => link(asset, ...marked(asset.name, words))));
  }
  $("list").replaceChildren(...(parts.length ? parts : [html("p", { className: "none" }, "No asset has that in its name or description.")]));
  for (const el of $("list").querySelectorAll("a")) el.classList.toggle("chosen", el.dataset.stem === chosen?.stem);
}
function active(step) {
  const links = [...$("list").querySelectorAll("a")];
  const now = links.findIndex((el) => el.classList.contains("active"));
  const next = links[Math.min(Math.max(now + step, 0), links.length - 1)];
  links[now]?.classList.remove("active");
  next?.classList.add("active");
  next?.scrollIntoView({ block: "nearest" });
}
$("search").addEventListener("input", list);
$("search").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); active(event.key === "ArrowDown" ? 1 : -1); }
  if (event.key === "Enter") ($("list").querySelector("a.active") ?? $("list").querySelector("a"))?.click();
});
window.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== $("search")) { event.preventDefault(); $("search").focus(); $("search").select(); }
  if (event.key === "Escape") {
    if ($("search").value) { $("search").value = ""; list(); } else choose(null);
    document.activeElement?.blur();
  }
});
window.addEventListener("resize", () => { if (!chosen) fit(false); });

$("project").textContent = data.project;
const counts = LAYERS.map((layer) => `${assets.filter((a) => a.layer === layer).length.toLocaleString("en")} ${layer}`);
$("counts").textContent = counts.join(", ") || "no assets yet";
draw();
list();
fromHash();
