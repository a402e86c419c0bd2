// @ts-check
import { s } from "./chart.js";

/** @import { Spots, View } from "./space.js" */
/**
 * What there is to draw, on the screen: places, sizes, hues, and which nodes and edges are faint.
 * @typedef {{ spots: Spots, sizes: ArrayLike<number>, hues: ArrayLike<number>, near: Set<number> | null,
 *   tails: ArrayLike<number>, heads: ArrayLike<number>, wide: number, tall: number, colours: string[] }} Scene
 */

/** The classes of the hues by number: by name, for the sheet has the lines whose classes are named. */
export const HUED = ["agl-g0", "agl-g1", "agl-g2", "agl-g3", "agl-g4", "agl-g5"];
const TURN = 2 * Math.PI, HUES = HUED.length;
const DIRECTED = 700; // edges whose direction can be seen

/** @param {Scene} scene @param {number} e */
const seen = ({ near, tails, heads }, e) => !near || (near.has(tails[e] ?? 0) && near.has(heads[e] ?? 0));

/** The ground in SVG: a path of all edges, and a circle a node. */
export function drawn() {
  const faint = s("path", { class: "agl-arcs" }), strong = s("path", { class: "agl-arcs strong" });
  const away = s("path", { class: "agl-arcs away" }), nodes = s("g", {}), all = s("g", {}, away, faint, strong, nodes);
  const el = s("svg", { class: "agl-ground", "aria-hidden": "true" }, all);
  /** @type {Element[]} */
  let circles = [];
  return {
    el,
    /** @param {Scene} scene */
    paint(scene) {
      const { spots: { xs, ys }, sizes, hues, near, tails, heads } = scene;
      const ways = { away: "", faint: "", strong: "" };
      for (let e = 0; e < tails.length; e++) {
        const i = tails[e] ?? 0, j = heads[e] ?? 0, ax = xs[i] ?? 0, ay = ys[i] ?? 0, bx = xs[j] ?? 0, by = ys[j] ?? 0;
        const from = `M${ax.toFixed(1)} ${ay.toFixed(1)}`, to = `L${bx.toFixed(1)} ${by.toFixed(1)}`;
        if (i === j) ways.faint += loop(ax, ay, sizes[i] ?? 0);
        else if (!seen(scene, e)) ways.away += from + to;
        else if (tails.length > DIRECTED) ways.faint += from + to;
        else {
          const middle = `${((ax + bx) / 2).toFixed(1)} ${((ay + by) / 2).toFixed(1)}`;
          ways.faint += `${from}L${middle}`;
          ways.strong += `M${middle}${to}`;
        }
      }
      away.setAttribute("d", ways.away);
      faint.setAttribute("d", ways.faint);
      strong.setAttribute("d", ways.strong);
      if (circles.length !== xs.length) {
        circles = Array.from(xs, (_, i) => s("circle", { "data-no": i }));
        nodes.replaceChildren(...circles.toReversed()); // the best connected on top
      }
      circles.forEach((circle, i) => {
        circle.setAttribute("cx", (xs[i] ?? 0).toFixed(1));
        circle.setAttribute("cy", (ys[i] ?? 0).toFixed(1));
        circle.setAttribute("r", (sizes[i] ?? 0).toFixed(1));
        circle.setAttribute("class", `agl-nodes ${HUED[hues[i] ?? 0]}${near && !near.has(i) ? " away" : ""}`);
      });
      all.removeAttribute("transform");
    },
    /** @param {number} dx @param {number} dy */
    move: (dx, dy) => { all.setAttribute("transform", `translate(${dx.toFixed(1)} ${dy.toFixed(1)})`); return true; },
  };
}

/** @param {number} x @param {number} y @param {number} r */
export const loop = (x, y, r) => `M${(x - 5).toFixed(1)} ${(y - r - 3).toFixed(1)}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0`;

/** The ground on a canvas, for thousands of elements: it needs no WebGL. */
export function painted() {
  const el = document.createElement("canvas");
  el.className = "agl-ground";
  el.setAttribute("aria-hidden", "true");
  const pen = /** @type {CanvasRenderingContext2D} */ (el.getContext("2d"));
  return {
    el,
    /** @param {Scene} scene */
    paint(scene) {
      const { spots: { xs, ys }, sizes, hues, near, tails, heads, wide, tall, colours } = scene;
      const dense = Math.min(2, devicePixelRatio || 1);
      if (el.width !== Math.round(wide * dense) || el.height !== Math.round(tall * dense)) {
        el.width = Math.round(wide * dense);
        el.height = Math.round(tall * dense);
      }
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      pen.clearRect(0, 0, wide, tall);
      pen.lineWidth = 1;
      pen.strokeStyle = colours[HUES] ?? "";
      for (const away of near ? [true, false] : [false]) {
        pen.globalAlpha = away ? 0.05 : 0.2;
        pen.beginPath();
        for (let e = 0; e < tails.length; e++) {
          if (seen(scene, e) === away) continue;
          const ax = xs[tails[e] ?? 0] ?? 0, ay = ys[tails[e] ?? 0] ?? 0, bx = xs[heads[e] ?? 0] ?? 0, by = ys[heads[e] ?? 0] ?? 0;
          if ((ax < 0 && bx < 0) || (ay < 0 && by < 0) || (ax > wide && bx > wide) || (ay > tall && by > tall)) continue;
          pen.moveTo(ax, ay);
          if (tails[e] !== heads[e]) pen.lineTo(bx, by);
          else pen.arc(ax - 5, ay - (sizes[tails[e] ?? 0] ?? 0) - 3, 5, 0, TURN);
        }
        pen.stroke();
      }
      for (let hue = 0; hue < HUES; hue++) {
        for (const away of near ? [true, false] : [false]) {
          pen.globalAlpha = away ? 0.15 : 1;
          pen.fillStyle = colours[hue] ?? "";
          pen.beginPath();
          for (let i = xs.length - 1; i >= 0; i--) {
            const x = xs[i] ?? 0, y = ys[i] ?? 0, r = sizes[i] ?? 0;
            if (hues[i] !== hue || (near !== null && !near.has(i)) !== away) continue;
            if (x < -r || y < -r || x > wide + r || y > tall + r) continue;
            pen.moveTo(x + r, y);
            pen.arc(x, y, r, 0, TURN);
          }
          pen.fill();
        }
      }
      pen.globalAlpha = 1;
    },
    move: () => false,
  };
}
