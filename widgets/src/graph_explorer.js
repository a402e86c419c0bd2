// @ts-check
import { about } from "./lib/about.js";
import { h, say } from "./lib/dom.js";
import { follow } from "./lib/follow.js";
import { button, closer, frame } from "./lib/frame.js";
import { HUED } from "./lib/ground.js";
import { listing } from "./lib/listing.js";
import { HUES, hueOf, map } from "./lib/network.js";
import { arcAt, joined, nodeAt, walk } from "./lib/space.js";
import { teller } from "./lib/waterfall.js";

/** @import { About, Arcs, Between, Gaze, Nodes, Plot, Title } from "./messages.js" */
/** @import { Data, Look } from "./lib/network.js" */
/** @typedef {{ board: string, lane: string }} Model */

const TELL_MS = 40, STEP = 1.3, SHOVE = 60, MATCHES = 12, SLIP = 4;
const LEAST = 300; // pixels of height: what is told beside it needs them
const NEAR = 12, WAY = 4; // how far in one goes for a neighbourhood, and for a path
const KEYS = "Drag to move; wheel to zoom, once clicked; arrow keys walk along relations, E goes through its edges, Enter opens the neighbourhood, Escape goes back, + − 0 zoom, / searches";

/** @param {string} label @param {string} cls */
function field(label, cls) {
  const made = h("input", `agl-input ${cls}`);
  made.type = "text";
  made.placeholder = label;
  made.setAttribute("aria-label", label);
  made.spellcheck = false;
  made.autocomplete = "off";
  return made;
}

/** @param {string} text @param {string} title @param {() => void} act */
function toggle(text, title, act) {
  const made = h("button", "agl-toggle", text);
  made.type = "button";
  made.title = title;
  made.addEventListener("click", act);
  return made;
}

/** @type {import("@anywidget/types").Render<Model>} */
async function render(props) {
  const { model, el } = props;
  const page = Math.random().toString(36).slice(2, 10);
  const card = frame(closer(model));
  const find = field("find…", "agl-find"), from = field("from", "agl-end-of"), to = field("to", "agl-end-of");
  const hits = h("span", "agl-ms"), options = h("datalist"), clear = button("×", "no path", () => connect(-1, -1));
  options.id = `agl-${page}-names`;
  for (const each of [from, to]) each.setAttribute("list", options.id);
  clear.setAttribute("aria-label", "no path");
  const sized = toggle("size: links", "by what they are sized", () => redraw({ size: here.size === "links" ? "betweenness" : "links" }));
  const hued = toggle("colour: community", "colour the communities", () => redraw({ colour: !here.colour }));
  const named = toggle("labels", "name as many as there is room for", () => redraw({ labels: !here.labels }));
  const ask = h("div", "agl-bar2", h("span", "agl-asks", find, hits),
    h("span", "agl-asks", h("span", "agl-ms", "path"), from, h("span", "agl-arrow", "→"), to, clear, options),
    h("span", "agl-toggles", sized, hued, named));
  const chart = map(() => lane?.soon());
  const stage = h("div", "agl-figure-of"), keysOf = h("div", "agl-keys"), said = h("p", "agl-small agl-then"), note = h("p", "agl-small");
  const zooms = h("div", "agl-zooms", button("+", "zoom in (+)", () => chart.zoom(STEP)), button("−", "zoom out (−)", () => chart.zoom(1 / STEP)), button("⤢", "show all (0)", () => chart.fit(null)));
  for (const each of zooms.querySelectorAll("button")) each.setAttribute("aria-label", each.title);
  said.style.whiteSpace = "normal"; // a path is told to its end
  stage.tabIndex = 0;
  stage.setAttribute("role", "application");
  stage.setAttribute("aria-roledescription", "graph");
  stage.append(chart.el);
  const detail = about({
    select: (no) => select(no, -1),
    open: () => open(here.node),
    from: () => connect(here.node, here.goal),
    to: () => connect(here.start, here.node),
  });
  const table = listing(page, { select: (no) => select(no, -1), open: (no) => open(no) });
  const head = h("div", "agl-entry agl-heads", ...["entity", "kind", "community", "links", "between"].map((each) => h("span", "", each)));
  head.setAttribute("aria-hidden", "true");
  const picture = h("div", "agl-figure-box", stage, zooms);
  const whole = h("div", "agl-charted", picture, detail.el);
  const rest = [ask, h("div", "agl-stage", whole), keysOf, h("div", "agl-stage", h("div", "agl-listed", head, table.el)), h("div", "agl-explain", said, note, h("p", "agl-small", KEYS))];
  const empty = h("p", "agl-note");
  card.body.append(...rest, empty);

  /** @type {Data | null} */
  let data = null;
  let version = 0, turn = 0, adopted = "", wheels = false;
  /** @type {Gaze} */
  let here = { node: -1, arc: -1, focus: -1, start: -1, goal: -1, path: [], size: "links", colour: true, labels: true, said: "", by: "", turn: 0 };
  /** @type {{ found: Set<number> | null, order: number[], hover: number, at: number, from: number }} */
  const own = { found: null, order: [], hover: -1, at: -1, from: -1 };

  /** @type {<T>(name: string) => T | null} */
  const cell = (name) => /** @type {any} */ (lane?.cell(name) ?? null);
  const telling = teller(/** @param {object} message */ (message) => model.send(message), TELL_MS);
  /** @param {object} message @param {boolean} [often] */
  const tell = (message, often) => {
    const whole = { ...message, by: page, turn: ++turn, version };
    if (often) telling.tell(whole);
    else { telling.flush(); model.send(whole); }
    chart.touch();
  };

  /** @param {number} node @param {number} arc */
  const select = (node, arc) => {
    if (node === here.node && arc === here.arc) return;
    here = { ...here, node, arc };
    table.pick(node);
    if (node >= 0) chart.sight(node);
    tell({ type: "select", node, arc }, true);
  };
  /** @param {number} node */
  const open = (node) => {
    here = { ...here, focus: node, ...(node < 0 ? {} : { node, arc: -1 }) };
    table.pick(here.node);
    look();
    tell({ type: "open", node });
  };
  /** @param {number} start @param {number} goal */
  const connect = (start, goal) => {
    here = { ...here, start, goal, path: [] };
    ends();
    tell({ type: "path", start, goal });
  };
  /** @param {Partial<Gaze>} how */
  const redraw = (how) => {
    here = { ...here, ...how };
    tell({ type: "draw", size: here.size, colour: here.colour, labels: here.labels });
  };
  const look = () => {
    if (!data) return;
    if (here.focus >= 0) chart.fit([here.focus, ...(data.near[here.focus] ?? [])], NEAR);
    else chart.fit(null);
  };
  const ends = () => {
    for (const [input, no] of /** @type {[HTMLInputElement, number][]} */ ([[from, here.start], [to, here.goal]])) {
      if (document.activeElement !== input || no >= 0) input.value = no < 0 ? "" : data?.names[no] ?? "";
      input.removeAttribute("aria-invalid");
    }
    clear.hidden = here.start < 0 && here.goal < 0;
    clear.style.display = clear.hidden ? "none" : "";
  };

  /** @param {string} text */
  const numbered = (text) => {
    const wanted = text.trim().toLowerCase(), names = data?.names ?? [];
    if (!wanted) return -1;
    const like = names.map((name) => name.toLowerCase());
    const exact = like.indexOf(wanted);
    if (exact >= 0) return exact;
    const begins = like.findIndex((name) => name.startsWith(wanted));
    return begins >= 0 ? begins : like.findIndex((name) => name.includes(wanted));
  };
  for (const input of [from, to]) {
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      const some = wanted ? (data?.names ?? []).filter((name) => name.toLowerCase().includes(wanted)).slice(0, MATCHES) : [];
      options.replaceChildren(...some.map((name) => { const made = h("option"); made.value = name; return made; }));
    });
    const settle = () => {
      const no = numbered(input.value);
      if (no < 0 && input.value.trim()) {
        input.setAttribute("aria-invalid", "true");
        card.say(`nothing is called ${input.value}`);
        say(note, `Nothing is called “${input.value}”.`);
        note.hidden = false;
      } else if (input === from && no !== here.start) connect(no, here.goal);
      else if (input === to && no !== here.goal) connect(here.start, no);
      else ends();
    };
    input.addEventListener("change", settle);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") settle();
      else if (event.key === "Escape") stage.focus();
    });
  }
  const search = () => {
    if (!data) return;
    const wanted = find.value.trim().toLowerCase();
    const { names, tags } = data;
    const some = names.flatMap((name, i) => (!wanted || name.toLowerCase().includes(wanted) || (tags[i] ?? "").toLowerCase().includes(wanted) ? [i] : []));
    own.found = wanted ? new Set(some.slice(0, 300)) : null;
    own.order = some;
    own.at = -1;
    say(hits, wanted ? `${some.length} of ${data.names.length}` : "");
    if (wanted) card.say(`${some.length} found`);
    list();
    chart.touch();
  };
  find.addEventListener("input", search);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && own.order.length) {
      own.at = (own.at + (event.shiftKey ? own.order.length - 1 : 1)) % own.order.length;
      select(own.order[own.at] ?? -1, -1);
    } else if (event.key === "Escape") {
      find.value = "";
      search();
      stage.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const list = () => {
    if (!data) return;
    const plot = /** @type {Plot} */ (cell("plot")), all = data;
    table.fill({
      names: data.names, tags: data.tags, links: data.links, between: data.between,
      groups: data.groups.map((group) => ((plot.sizes[group] ?? 0) > 1 ? plot.groups[group] ?? "" : "")),
      hues: data.names.map((_, i) => hueOf(all, i)),
    }, own.order);
  };

  /** Put the pieces together, once all of them are there. @param {Plot} plot */
  const gather = (plot) => {
    /** @template T @param {string} letter @param {number} count @returns {T[] | null} */
    const pieces = (letter, count) => {
      const all = Array.from({ length: count }, (_, i) => cell(`${letter}${i}`));
      return all.every((each) => /** @type {{ version: number } | null} */ (each)?.version === plot.version) ? /** @type {any} */ (all) : null;
    };
    const nodes = /** @type {Nodes[] | null} */ (pieces("n", plot.lots)), arcs = /** @type {Arcs[] | null} */ (pieces("e", plot.parts));
    if (!nodes || !arcs) return;
    const tails = arcs.flatMap((each) => each.tails), heads = arcs.flatMap((each) => each.heads);
    const names = nodes.flatMap((each) => each.names);
    data = {
      names, tags: nodes.flatMap((each) => each.tags), xs: nodes.flatMap((each) => each.xs), ys: nodes.flatMap((each) => each.ys), links: nodes.flatMap((each) => each.links),
      groups: nodes.flatMap((each) => each.groups), sizes: plot.sizes, tails, heads, kinds: arcs.flatMap((each) => each.kinds),
      says: plot.kinds, near: joined(names.length, tails, heads), between: [],
    };
    version = plot.version;
    adopted = "";
    const tall = Math.max(plot.tall, LEAST);
    stage.style.height = `${tall}px`;
    chart.resize(stage.clientWidth, tall);
    chart.fill(data);
    search();
    paintKeys(plot, names);
  };
  /** @param {Plot} plot @param {string[]} names */
  const paintKeys = (plot, names) => {
    const groups = plot.sizes.filter((size) => size > 1).length, alone = plot.sizes.length - groups;
    const keys = /** @type {[number, string][]} */ (plot.groups.slice(0, Math.min(groups, HUES)).map((name, i) => [i, `${name} (${plot.sizes[i]})`]));
    if (groups > HUES) keys.push([HUES, groups - HUES === 1 ? "1 other" : `${groups - HUES} others`]);
    if (alone && groups) keys.push([HUES, `${alone} alone`]);
    keysOf.replaceChildren(...(groups > 1 ? ["communities round ", ...keys.map(([hue, text]) => h("span", "", h("i", `agl-swatch ${HUED[hue]}`), `${text} `))] : []));
    keysOf.dataset.some = String(groups > 1);
    stage.setAttribute("aria-label", `${names.length} entities, ${plot.arcs} edges; arrow keys walk along them, Enter opens a neighbourhood`);
  };

  /** @param {Gaze} gaze */
  const adopt = (gaze) => {
    const text = JSON.stringify(gaze);
    if (text === adopted) return;
    const first = !adopted, before = here.focus, way = String(here.path);
    if (gaze.by === page && gaze.turn < turn && !first) return; // the page is ahead of the kernel
    adopted = text;
    here = gaze;
    ends();
    table.pick(here.node);
    if (here.focus !== before) look();
    else if (here.path.length && String(here.path) !== way) chart.fit(here.path, WAY);
    else if (here.node >= 0 && gaze.by !== page) chart.sight(here.node);
    chart.touch();
  };

  const paint = () => {
    const title = /** @type {Title | null} */ (cell("title")), plot = /** @type {Plot | null} */ (cell("plot")), gaze = /** @type {Gaze | null} */ (cell("gaze"));
    if (!title || !plot || !gaze) return;
    card.paint(title);
    for (const each of rest) each.style.display = plot.empty ? "none" : "";
    keysOf.style.display = keysOf.dataset.some === "true" && here.colour && !plot.empty ? "" : "none";
    empty.style.display = plot.empty ? "" : "none";
    say(empty, plot.empty);
    if (plot.version !== version) gather(plot);
    if (!data || plot.version !== version) return;
    const between = /** @type {Between | null} */ (cell("between"));
    if (between?.version === version && data.between !== between.values) {
      data.between = between.values;
      list();
      chart.touch();
    }
    adopt(gaze);
    say(sized, `size: ${here.size}`);
    hued.setAttribute("aria-pressed", String(here.colour));
    sized.setAttribute("aria-pressed", "true");
    named.setAttribute("aria-pressed", String(here.labels));
    if (gaze.turn >= turn || gaze.by !== page) {
      say(said, gaze.said || title.figures.join(", "));
      if (gaze.said) card.say(gaze.said);
      detail.paint(/** @type {About | null} */ (cell("about")));
    }
    if (from.ariaInvalid !== "true" && to.ariaInvalid !== "true") say(note, plot.note);
    note.hidden = !note.textContent;
    chart.paint({ ...here, hover: own.hover, found: own.found });
  };

  /** @type {Record<string, () => void>} */
  const keys = {
    Enter: () => { if (here.node >= 0) open(here.node); },
    Escape: () => {
      if (here.focus >= 0) open(-1);
      else if (here.start >= 0 || here.goal >= 0) connect(-1, -1);
      else select(-1, -1);
    },
    "+": () => chart.zoom(STEP),
    "=": () => chart.zoom(STEP),
    "-": () => chart.zoom(1 / STEP),
    0: () => chart.fit(null),
    Home: () => select(0, -1),
    e: () => { // through the edges of one entity, one after the other
      const { tails = [], heads = [] } = data ?? {}, at = here.node >= 0 ? here.node : own.from;
      const mine = tails.flatMap((tail, i) => (tail === at || heads[i] === at ? [i] : []));
      own.from = at;
      if (mine.length) select(-1, mine[(mine.indexOf(here.arc) + 1) % mine.length] ?? -1);
    },
  };
  /** @type {Record<string, [number, number]>} */
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  stage.addEventListener("keydown", (event) => {
    if (!data || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = ways[event.key], act = keys[event.key];
    if (way && event.shiftKey) chart.pan(-SHOVE * way[0], -SHOVE * way[1]);
    else if (way && here.node < 0) select(here.arc >= 0 && own.from >= 0 ? own.from : 0, -1);
    else if (way) {
      const next = walk(chart.base, data.near[here.node] ?? [], here.node, ...way);
      if (next >= 0) select(next, -1);
      else card.say("no relation leads that way");
    } else if (act) act();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  card.card.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    event.stopPropagation();
    find.focus();
    find.select();
  });

  /** @type {Map<number, { x: number, y: number }>} */
  const pressed = new Map();
  let slipped = 0;
  /** @param {MouseEvent} event */
  const spot = ({ clientX, clientY }) => {
    const { left, top } = stage.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    stage.setPointerCapture(event.pointerId);
    pressed.set(event.pointerId, spot(event));
    if (pressed.size === 1) slipped = 0;
    wheels = true;
  });
  stage.addEventListener("pointermove", (event) => {
    const now = spot(event), before = pressed.get(event.pointerId);
    if (!before) {
      const hover = nodeAt(chart.spots, chart.radii, now.x, now.y);
      if (hover !== own.hover) {
        own.hover = hover;
        stage.style.cursor = hover < 0 ? "" : "pointer";
        chart.touch();
      }
      return;
    }
    slipped += Math.hypot(now.x - before.x, now.y - before.y);
    const other = [...pressed].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const was = Math.hypot(before.x - other.x, before.y - other.y), is = Math.hypot(now.x - other.x, now.y - other.y);
      if (was > 1) chart.zoom(is / was, (now.x + other.x) / 2, (now.y + other.y) / 2);
    } else if (slipped > SLIP) chart.pan(now.x - before.x, now.y - before.y);
    pressed.set(event.pointerId, now);
  });
  stage.addEventListener("pointerup", (event) => {
    const alone = pressed.delete(event.pointerId) && !pressed.size;
    if (!alone || slipped > SLIP || !data) return;
    const { x, y } = spot(event), node = nodeAt(chart.spots, chart.radii, x, y);
    select(node, node >= 0 ? -1 : arcAt(chart.spots, data.tails, data.heads, x, y));
  });
  stage.addEventListener("pointercancel", (event) => pressed.delete(event.pointerId));
  stage.addEventListener("pointerleave", () => { own.hover = -1; chart.touch(); });
  stage.addEventListener("dblclick", () => { if (here.node >= 0) open(here.node); });
  stage.addEventListener("blur", () => { wheels = false; });
  stage.addEventListener("wheel", (event) => {
    if (!wheels && !event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const { x, y } = spot(event);
    chart.zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY * (event.deltaMode ? 20 : 1))) / 300), x, y);
  }, { passive: false });

  const lane = await follow(props, paint);
  if (!lane) return;
  el.append(card.card);
  const sizes = new ResizeObserver(() => {
    const before = chart.size.wide;
    if (chart.resize(stage.clientWidth, stage.clientHeight) && !before) look(); // it was out of sight
    table.draw();
  });
  sizes.observe(stage);
  sizes.observe(table.el);
  const themes = new MutationObserver(chart.recolour);
  themes.observe(document.body, { attributes: true });
  paint();
  return () => {
    telling.stop();
    sizes.disconnect();
    themes.disconnect();
    chart.leave();
    lane.leave();
    card.leave();
    card.card.remove();
  };
}

export default { render };
