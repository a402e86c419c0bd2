// @ts-check
import { s } from "./chart.js";
import { HUED, drawn, loop, painted } from "./ground.js";
import { labelled } from "./places.js";
import { based, fitted, sighted, zoomed } from "./space.js";
import { h } from "./dom.js";

/** @import { View } from "./space.js" */
/**
 * A graph, as the page has it; nodes are numbers, the best connected first.
 * @typedef {{ names: string[], tags: string[], xs: number[], ys: number[], links: number[], groups: number[], sizes: number[],
 *   tails: number[], heads: number[], kinds: number[], says: string[], near: Set<number>[], between: number[] }} Data
 */
/**
 * What is looked at, and how it is drawn.
 * @typedef {{ node: number, arc: number, focus: number, path: number[], size: string, colour: boolean,
 *   labels: boolean, hover: number, found: Set<number> | null }} Look
 */

export const HUES = 5;
const MANY = 1500; // elements: above, they are painted on a canvas
const NAMED = 140, HEADS = 24, SPOKEN = 60; // nodes that may be named, those named after whom communities are; edges that say what they are
const CROWD = 60, GLIDE_MS = 260, SETTLE_MS = 120;

/** The number of a community's hue: those alone and the small ones share one. @param {Data} data @param {number} i */
export const hueOf = ({ groups, sizes }, i) => ((sizes[groups[i] ?? 0] ?? 0) > 1 ? Math.min(groups[i] ?? 0, HUES) : HUES);

/**
 * The picture of a graph: what it shows, and where on it one is.
 * @param {() => void} moved  it must be painted again
 */
export function map(moved) {
  const over = s("g", {}), front = s("svg", { class: "agl-front", "aria-hidden": "true" }, over);
  const inks = [...HUED, ""].map((hue) => h("i", `agl-ink ${hue}`.trim())); // of a canvas
  const el = h("div", "agl-map", ...inks);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const ruler = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  /** @type {Map<string, number>} */
  const longs = new Map();
  /** @type {ReturnType<typeof drawn> | ReturnType<typeof painted> | null} */
  let ground = null;
  /** @type {Data | null} */
  let data = null;
  let base = based({ xs: [], ys: [] }, 1, 1), wide = 0, tall = 0;
  /** @type {View} */
  let view = { k: 1, x: 0, y: 0 };
  let done = { ...view }, named = { ...view }, gliding = 0, settling = 0, dirty = true, settledAt = 0;
  let spots = base, radii = new Float64Array(0), degrees = new Float64Array(0);
  /** @type {string[]} */
  let colours = [];

  /** @param {string} text */
  const measure = (text) => {
    let long = longs.get(text);
    if (long === undefined) longs.set(text, (long = ruler.measureText(text).width + 6));
    return long;
  };
  const inked = () => {
    colours = inks.map((ink) => getComputedStyle(ink).color);
    ruler.font = `11px ${getComputedStyle(el).fontFamily}`;
    longs.clear();
  };
  /** @param {View} next */
  const set = (next) => { view = next; moved(); };

  /** @param {Look} look @param {Data} data */
  const measureNodes = (look, data) => {
    const n = data.names.length, most = n <= CROWD ? 11 : n <= 400 ? 8 : n <= 1000 ? 5 : 3, least = n <= 400 ? 3 : 1.6, part = n <= 400 ? 1 : Math.min(1, Math.max(0.6, wide / 700));
    const by = look.size === "betweenness" && data.between.length ? data.between : data.links;
    let top = 0;
    for (let i = 0; i < n; i++) top = Math.max(top, by[i] ?? 0);
    degrees = Float64Array.from({ length: n }, (_, i) => part * (least + most * Math.sqrt((by[i] ?? 0) / (top || 1))));
  };

  /** @param {Look} look @param {Data} data */
  const full = (look, data) => {
    const grown = Math.min(1.7, Math.max(0.6, Math.sqrt(view.k)));
    spots = { xs: base.xs.map((x) => view.k * x + view.x), ys: base.ys.map((y) => view.k * y + view.y) };
    radii = degrees.map((r) => r * grown);
    const near = look.focus < 0 ? null : new Set([look.focus, ...(data.near[look.focus] ?? [])]);
    const hues = Uint8Array.from(data.names, (_, i) => (look.colour ? hueOf(data, i) : HUES));
    ground?.paint({ spots, sizes: radii, hues, near, tails: data.tails, heads: data.heads, wide, tall, colours });
    return near;
  };

  /** What stands out: edges of the selected node, the path, rings. @param {Look} look @param {Data} data */
  const marks = (look, data) => {
    const { xs, ys } = spots, { tails, heads } = data;
    const way = new Set(look.path.slice(1).map((j, i) => `${Math.min(j, look.path[i] ?? 0)} ${Math.max(j, look.path[i] ?? 0)}`));
    let mine = "", tips = "", red = "", redTips = "";
    const telling = /** @type {number[]} */ ([]), along = /** @type {number[]} */ ([]);
    for (let e = 0; e < tails.length; e++) {
      const i = tails[e] ?? 0, j = heads[e] ?? 0, ax = xs[i] ?? 0, ay = ys[i] ?? 0, bx = xs[j] ?? 0, by = ys[j] ?? 0;
      const onWay = way.size > 0 && way.has(`${Math.min(i, j)} ${Math.max(i, j)}`);
      if (!onWay && e !== look.arc && (look.node < 0 || (i !== look.node && j !== look.node))) continue;
      (onWay ? along : telling).push(e);
      if (i === j) { mine += loop(ax, ay, radii[i] ?? 0); continue; }
      const line = `M${ax.toFixed(1)} ${ay.toFixed(1)}L${bx.toFixed(1)} ${by.toFixed(1)}`;
      const tip = arrow(ax, ay, bx, by, (radii[j] ?? 0) + 2);
      if (onWay) { red += line; redTips += tip; } else { mine += line; tips += tip; }
    }
    const rings = /** @type {Element[]} */ ([]);
    /** @param {number} i @param {string} cls */
    const ring = (i, cls) => rings.push(s("circle", { class: `agl-ring ${cls}`, cx: (xs[i] ?? 0).toFixed(1), cy: (ys[i] ?? 0).toFixed(1), r: ((radii[i] ?? 0) + 3).toFixed(1) }));
    for (const i of look.found ?? []) ring(i, "found");
    for (const i of look.path) ring(i, "way");
    if (look.hover >= 0) ring(look.hover, "hover");
    if (look.node >= 0) ring(look.node, "on");
    const parts = [];
    if (mine) parts.push(s("path", { class: "agl-mine", d: mine }), s("path", { class: "agl-tips", d: tips }));
    if (red) parts.push(s("path", { class: "agl-way", d: red }), s("path", { class: "agl-tips way", d: redTips }));
    return { parts: [...parts, ...rings], arcs: [...along, ...telling] };
  };

  /** @param {Look} look @param {Data} data @param {Set<number> | null} near @param {number[]} first */
  const names = (look, data, near, first) => {
    const { xs, ys } = spots;
    /** @param {number} i */
    const inside = (i) => (xs[i] ?? -1) > 0 && (ys[i] ?? -1) > 0 && (xs[i] ?? 0) < wide && (ys[i] ?? 0) < tall;
    const must = [look.hover, look.node, ...look.path.slice(0, 30), ...[...(look.found ?? [])].slice(0, 20)].filter((i) => i >= 0);
    const wanted = new Set(must), heads = new Set(); // whom communities are named after
    if (look.focus >= 0) wanted.add(look.focus);
    if (look.node >= 0) for (const i of [...(data.near[look.node] ?? [])].slice(0, 40)) wanted.add(i);
    if (look.labels) {
      const homes = new Set();
      for (let i = 0; i < data.names.length && heads.size < HEADS; i++) { // they come first
        const home = data.groups[i] ?? 0;
        if (homes.has(home) || (data.sizes[home] ?? 0) < 2) continue;
        homes.add(home);
        if (near || !inside(i)) continue;
        heads.add(i);
        wanted.add(i);
      }
      for (let i = 0; i < data.names.length && wanted.size < NAMED; i++) if ((!near || near.has(i)) && inside(i)) wanted.add(i);
    }
    const circles = [];
    for (let i = 0; i < xs.length && circles.length < 4000; i++) {
      if (!inside(i) || (near && !near.has(i))) continue;
      const x = xs[i] ?? 0, y = ys[i] ?? 0, r = (radii[i] ?? 0) - 1;
      circles.push({ left: x - r, top: y - r, right: x + r, bottom: y + r });
    }
    const nodes = [...wanted].filter(inside).map((i) => ({
      no: i, text: i === look.hover ? pointed(data, i) : short(data.names[i] ?? ""), x: xs[i] ?? 0, y: ys[i] ?? 0, r: radii[i] ?? 0, must: must.includes(i) || heads.has(i) || i < 3,
    }));
    let saying = first;
    if (look.labels && (first.length === 0 || near)) {
      const shown = [];
      for (let e = 0; e < data.tails.length && shown.length <= SPOKEN; e++) {
        const i = data.tails[e] ?? 0, j = data.heads[e] ?? 0;
        if (near ? near.has(i) && near.has(j) : inside(i) && inside(j)) shown.push(e);
      }
      if (shown.length <= SPOKEN) saying = [...new Set([...first, ...shown])];
    }
    const arcs = saying.slice(0, SPOKEN).flatMap((e) => {
      const i = data.tails[e] ?? 0, j = data.heads[e] ?? 0;
      return i === j ? [] : [{ no: e, text: short(data.says[data.kinds[e] ?? 0] ?? ""), ax: xs[i] ?? 0, ay: ys[i] ?? 0, bx: xs[j] ?? 0, by: ys[j] ?? 0 }];
    });
    return labelled(nodes, arcs, circles, wide, tall, measure).map(({ text, x, y, anchor, no, arc }) => s("text", {
      class: `agl-halo ${arc ? "agl-said-arc" : no === look.node || look.path.includes(no) ? "agl-named on" : "agl-named"}`,
      x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor,
    }, text));
  };

  return {
    el,
    /** @param {Data} next  another graph, or another version of it */
    fill(next) {
      data = next;
      const many = next.names.length + next.tails.length > MANY;
      ground?.el.remove();
      ground = many ? painted() : drawn();
      el.append(ground.el, front);
      base = based(next, wide || 1, tall || 1);
      dirty = true;
    },
    /** @param {number} w @param {number} t */
    resize(w, t) {
      if (w === wide && t === tall) return false;
      const part = wide ? w / wide : 1;
      wide = w;
      tall = t;
      if (data) base = based(data, w, t);
      view = { ...view, x: view.x * part };
      dirty = true;
      moved();
      return true;
    },
    /** Its colours are others now. */
    recolour() { dirty = true; colours = []; moved(); },
    touch() { dirty = true; moved(); },
    /** @param {Look} look */
    paint(look) {
      if (!data || !ground || !wide) return;
      if (!colours.length) inked();
      const now = performance.now(), panned = !dirty && view.k === done.k, quiet = now - settledAt > SETTLE_MS;
      if (panned && view.x === done.x && view.y === done.y) return;
      clearTimeout(settling);
      if (panned && ground.move(view.x - done.x, view.y - done.y)) {
        over.setAttribute("transform", `translate(${(view.x - done.x).toFixed(1)} ${(view.y - done.y).toFixed(1)})`);
        settling = window.setTimeout(() => { dirty = true; moved(); }, SETTLE_MS);
        return;
      }
      if (dirty) measureNodes(look, data);
      const near = full(look, data);
      if (panned && !quiet) { // a canvas is painted anew at each move; names only go along
        over.setAttribute("transform", `translate(${(view.x - named.x).toFixed(1)} ${(view.y - named.y).toFixed(1)})`);
      } else {
        const { parts, arcs } = marks(look, data);
        over.replaceChildren(...parts, ...names(look, data, near, arcs));
        over.removeAttribute("transform");
        named = { ...view };
      }
      if (panned) settling = window.setTimeout(() => { dirty = true; moved(); }, SETTLE_MS);
      settledAt = now;
      done = { ...view };
      dirty = false;
    },
    get size() { return { wide, tall }; },
    get view() { return view; },
    get base() { return base; },
    get spots() { return spots; },
    get radii() { return radii; },
    /** @param {number} dx @param {number} dy */
    pan(dx, dy) { cancelAnimationFrame(gliding); set({ ...view, x: view.x + dx, y: view.y + dy }); },
    /** @param {number} by */
    zoom(by, x = wide / 2, y = tall / 2) { cancelAnimationFrame(gliding); set(zoomed(view, by, x, y)); },
    /** @param {Iterable<number> | null} some  null is all, as in the card */
    fit(some, most = 5) { glide(some ? fitted(base, some, wide, tall, most) : { k: 1, x: 0, y: 0 }); },
    /** @param {number} i */
    sight(i) {
      const next = sighted(view, base.xs[i] ?? 0, base.ys[i] ?? 0, wide, tall);
      if (next.x !== view.x || next.y !== view.y) glide(next);
    },
    leave() { cancelAnimationFrame(gliding); clearTimeout(settling); },
  };

  /** @param {View} to */
  function glide(to) {
    cancelAnimationFrame(gliding);
    if (still || !wide) return set(to);
    const from = { ...view }, began = performance.now();
    const on = () => {
      const t = Math.min(1, (performance.now() - began) / GLIDE_MS), part = t * (2 - t);
      const k = from.k * (to.k / from.k) ** part;
      const along = to.k === from.k ? part : (k - from.k) / (to.k - from.k);
      set(t === 1 ? to : { k, x: from.x + along * (to.x - from.x), y: from.y + along * (to.y - from.y) });
      if (t < 1) gliding = requestAnimationFrame(on);
    };
    on();
  }
}

/** @param {string} name */
const short = (name) => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

/** What is said of the node that is pointed at. @param {Data} data @param {number} i */
function pointed({ names, tags, links }, i) {
  const many = links[i] === 1 ? "1 link" : `${links[i] ?? 0} links`;
  return [short(names[i] ?? ""), tags[i] ?? "", many].filter(Boolean).join(" · ");
}

/** @param {number} ax @param {number} ay @param {number} bx @param {number} by @param {number} r */
function arrow(ax, ay, bx, by, r) {
  const long = Math.hypot(bx - ax, by - ay);
  if (long < r + 8) return "";
  const ux = (bx - ax) / long, uy = (by - ay) / long, x = bx - ux * r, y = by - uy * r;
  /** @param {number} side */
  const wing = (side) => `L${(x - 7 * ux - side * 3.5 * uy).toFixed(1)} ${(y - 7 * uy + side * 3.5 * ux).toFixed(1)}`;
  return `M${x.toFixed(1)} ${y.toFixed(1)}${wing(1)}${wing(-1)}Z`;
}
