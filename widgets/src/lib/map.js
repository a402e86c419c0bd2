// @ts-check
import { s } from "./chart.js";
import { h, say } from "./dom.js";
import { box, gone, left, nearest, placed, toward } from "./fade.js";

/** @import { Clock, Dots, Marks, Spots } from "../messages.js" */

const WIDE = 1000, PAD = 10, REACH_PX = 16, MANY = 1500, ASKED = 28, TURN = Math.PI * 2;
/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * A map of meanings: a dot an item, as large and as strong as what is left of it.
 * @param {(no: number) => void} pick
 * @param {(no: number) => void} point  at a dot, or -1
 */
export function meanings(pick, point) {
  const canvas = h("canvas"), note = h("p", "agl-small agl-caption");
  const name = s("title", {}), labels = s("g", {}), rays = s("g", {}), over = s("circle", { class: "agl-over", r: 0 }), at = s("circle", { class: "agl-at", r: 0 });
  const svg = s("svg", { role: "img" }, name, rays, labels, over, at);
  const field = h("div", "agl-field", canvas, svg);
  field.tabIndex = 0;
  field.setAttribute("role", "group");
  field.setAttribute("aria-label", "map of meanings: arrow keys go from one to the next");
  const el = h("div", "agl-plane", field, note);
  const pen = canvas.getContext("2d");

  /** @type {number[]} */
  let xs = [];
  /** @type {number[]} */
  let ys = [];
  /** @type {number[]} */
  let worth = [];
  /** @type {number[]} */
  let ages = [];
  /** @type {Dots[]} */
  let known = [];
  /** @type {{ clock: Clock, marks: Marks, spots: Spots, ahead: number, no: number, query: string } | null} */
  let now = null;
  let wide = 0, tall = 0, hovered = -1, hint = "";

  /** @param {number} x */
  const px = (x) => PAD + (x / WIDE) * (wide - 2 * PAD);
  /** @param {number} y */
  const py = (y) => tall - PAD - (y / WIDE) * (tall - 2 * PAD);
  /** @param {number} no */
  const listed = (no) => now !== null && (!now.marks.lit || now.marks.lit[no] === "1");
  /** @param {number} no */
  const lost = (no) => now !== null && gone(worth[no] ?? 0, ages[no] ?? 0, now.ahead, now.clock);
  /** @param {number} no */
  const there = (no) => listed(no) && !lost(no);
  /** @param {number} no */
  const strength = (no) => (now ? Math.min(1, Math.max(0, left(worth[no] ?? 0, ages[no] ?? 0, now.ahead, now.clock))) : 0);
  /** @param {number} no */
  const shade = (no) => (now?.clock.tau ? Math.sqrt(strength(no)) : 0.6); // an eye weighs areas
  /** @param {number} no */
  const radius = (no) => (xs.length > MANY ? 1 : 1.5) + (xs.length > MANY ? 2.6 : 4.5) * shade(no);

  const dots = () => {
    if (!pen || !now) return;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(tall * scale)) {
      canvas.width = Math.round(wide * scale);
      canvas.height = Math.round(tall * scale);
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, wide, tall);
    const hue = getComputedStyle(canvas).color, dim = getComputedStyle(field).color;
    for (let no = 0; no < xs.length; no++) {
      const here = listed(no), out = lost(no);
      if (out && xs.length > MANY) continue; // so many rings would be a fog
      pen.beginPath();
      pen.arc(px(xs[no] ?? 0), py(ys[no] ?? 0), out ? 1.5 : radius(no), 0, TURN);
      pen.globalAlpha = out || !here ? 0.13 : 0.1 + 0.8 * shade(no);
      if (out) {
        pen.strokeStyle = dim;
        pen.stroke();
      } else {
        pen.fillStyle = here ? hue : dim;
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
  };

  /**
   * @param {Element} ring
   * @param {number} no
   * @param {number} more
   */
  const ring = (ring, no, more) => {
    ring.setAttribute("cx", px(xs[no] ?? 0).toFixed(1));
    ring.setAttribute("cy", py(ys[no] ?? 0).toFixed(1));
    ring.setAttribute("r", no < 0 || no >= xs.length ? "0" : (radius(no) + more).toFixed(1));
  };

  const overlay = () => {
    if (!now) return;
    const { marks, spots } = now, drawn = [], asked = [], ranged = marks.x >= 0 && xs.length > 0;
    const x = px(marks.x), y = py(marks.y);
    for (const no of xs.length ? marks.hits : []) {
      const to = { x2: px(xs[no] ?? 0).toFixed(1), y2: py(ys[no] ?? 0).toFixed(1) };
      if (ranged && marks.asks) drawn.push(s("line", { class: "agl-ray", x1: x.toFixed(1), y1: y.toFixed(1), ...to }));
      asked.push({ x: Number(to.x2), y: Number(to.y2), wide: 16, tall: 16 });
      drawn.push(s("circle", { class: "agl-hit", cx: to.x2, cy: to.y2, r: (radius(no) + 2.5).toFixed(1) }));
    }
    if (ranged) {
      const letters = [...now.query], text = `“${letters.slice(0, ASKED).join("")}${letters.length > ASKED ? "…" : ""}”`;
      const [label] = placed([{ text, x, y: y + 18 }], wide, tall);
      drawn.push(s("path", { class: "agl-query", d: `M${x} ${y - 7}l7 7-7 7-7-7z` }));
      if (label) {
        drawn.push(s("text", { class: "agl-halo", x: label.x, y: label.y + 4 }, text));
        asked.push(box(text, label.x, label.y));
      }
      asked.push({ x, y, wide: 16, tall: 16 });
    }
    const names = xs.length ? spots.names.map((text, i) => ({ text, x: px(spots.xs[i] ?? 0), y: py(spots.ys[i] ?? 0) })) : [];
    labels.replaceChildren(...placed(names, wide, tall, asked).map(({ text, x: left, y: top }) => s("text", { class: "agl-theme agl-halo", x: left.toFixed(1), y: (top + 4).toFixed(1) }, text)));
    rays.replaceChildren(...drawn);
    ring(at, now.no, 4);
    ring(over, hovered, 2);
    say(name, `map of ${xs.length} items${spots.names.length ? `: ${spots.names.join(", ")}` : ""}`);
    say(note, hovered >= 0 && hint ? hint : spots.note);
  };

  const paint = () => {
    wide = field.clientWidth;
    tall = field.clientHeight;
    if (!now || !wide) return;
    svg.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
    dots();
    overlay();
  };
  const sizes = new ResizeObserver(paint);
  sizes.observe(field);
  const themes = new MutationObserver(paint); // a canvas does not know of hues
  for (const root of [document.body, document.documentElement]) themes.observe(root, { attributes: true });

  /** @param {MouseEvent} event */
  const under = ({ clientX, clientY }) => {
    const { left: from, top } = field.getBoundingClientRect();
    const across = (clientX - from - PAD) / (wide - 2 * PAD), up = (tall - PAD - (clientY - top)) / (tall - 2 * PAD);
    const ratio = (wide - 2 * PAD) / (tall - 2 * PAD);
    // in units of the map's height, so that near is near both ways
    return nearest(xs.map((x) => x * ratio), ys, across * WIDE * ratio, up * WIDE, (REACH_PX / (tall - 2 * PAD)) * WIDE, there);
  };
  /** @param {number} no */
  const hover = (no) => {
    if (no === hovered) return;
    hovered = no;
    hint = "";
    point(no);
    overlay();
  };
  field.addEventListener("pointermove", (event) => hover(under(event)));
  field.addEventListener("pointerleave", () => hover(-1));
  field.addEventListener("click", (event) => {
    const no = under(event);
    if (no >= 0) pick(no);
  });
  field.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    if (!way || !now || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const no = toward(xs, ys, now.no, way[0], -way[1], there);
    if (no >= 0) pick(no);
  });

  return {
    el,
    field,
    /** @param {(Dots | null)[]} lots */
    take(lots) {
      const some = /** @type {Dots[]} */ (lots.filter(Boolean));
      if (some.length === known.length && some.every((lot, i) => lot === known[i])) return;
      known = some;
      xs = some.flatMap((lot) => lot.xs);
      ys = some.flatMap((lot) => lot.ys);
      worth = some.flatMap((lot) => lot.worth);
      ages = some.flatMap((lot) => lot.ages);
    },
    /** @param {typeof now} news */
    paint(news) {
      now = news;
      paint();
    },
    /** @param {number} no */
    hover(no) {
      hovered = no;
      hint = "";
      overlay();
    },
    /** @param {number} no @param {string} text */
    hint(no, text) {
      if (no !== hovered) return;
      hint = text;
      say(note, text);
    },
    leave() {
      sizes.disconnect();
      themes.disconnect();
    },
  };
}
