// @ts-check
import { s } from "./chart.js";
import { h } from "./dom.js";
import { doubtful, stretches } from "./tokens.js";

const MOST = 240, TALL = 36, WIDE = 1000;

/**
 * All tokens as columns that hang from certainty down to their probability: what hangs low was in
 * doubt. Of many, a column is several: their mean, and paler behind it, the least likely if it is doubtful.
 * @param {(at: number) => void} go  to the least likely token where there was a click
 */
export function strip(go) {
  const still = { "vector-effect": "non-scaling-stroke" };
  const sure = s("path", { class: "sure" }), low = s("path", { class: "low" }), worst = s("path", { class: "worst" });
  const edges = s("path", { class: "agl-edge", ...still }), bound = s("path", { class: "agl-edge bound", ...still }), here = s("path", { class: "agl-here", ...still });
  const name = s("title", {});
  const svg = s("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", role: "img" }, name, edges, worst, sure, low, bound, here);
  const el = h("div", "agl-strip", svg);
  /** @type {number[]} */
  let shown = [];
  let from = 0, to = 0, drawn = "";
  el.addEventListener("click", ({ clientX }) => {
    const { left, width } = svg.getBoundingClientRect();
    const at = shown[Math.min(shown.length - 1, Math.max(0, Math.floor(((clientX - left) / width) * shown.length)))];
    if (at !== undefined) go(at);
  });
  /**
   * @param {number[]} ps
   * @param {[number, number]} range
   * @param {number} below
   * @param {number[]} firsts  of steps
   */
  const paint = (ps, range, below, firsts) => {
    const key = `${range} ${below} ${firsts.length}`;
    if (drawn === key) return;
    drawn = key;
    [from, to] = range;
    const some = stretches(ps, from, to, MOST), wide = WIDE / (some.length || 1), gap = Math.min(1, wide / 4);
    shown = some.map(({ at }) => at);
    /** @param {number} i @param {number} p */
    const column = (i, p) => `M${(i * wide).toFixed(1)} 0h${(wide - gap).toFixed(1)}v${Math.max(1, (1 - p) * TALL).toFixed(1)}h-${(wide - gap).toFixed(1)}z`;
    const drawing = { sure: "", low: "", worst: "" };
    some.forEach(({ at, mean }, i) => {
      if (mean < 0) return;
      drawing[doubtful(mean, below) ? "low" : "sure"] += column(i, mean);
      if (to - from > some.length && doubtful(ps[at], below)) drawing.worst += column(i, ps[at] ?? 1);
    });
    worst.setAttribute("d", drawing.worst);
    sure.setAttribute("d", drawing.sure);
    low.setAttribute("d", drawing.low);
    bound.setAttribute("d", `M0 ${(1 - below / 100) * TALL}H${WIDE}`);
    edges.setAttribute("d", firsts.filter((at) => at > from && at < to).map((at) => `M${x(at).toFixed(1)} 0V${TALL}`).join(""));
    name.textContent = `probability of ${to - from} tokens: the lower a column hangs, the less likely; click to go there`;
  };
  /** @param {number} at */
  const x = (at) => ((at - from) / (to - from || 1)) * WIDE;
  return {
    el,
    paint,
    /** @param {number} at  the token that is looked at, or -1 */
    mark: (at) => here.setAttribute("d", at < from || at >= to ? "" : `M${x(at + 0.5).toFixed(1)} 0V${TALL}`),
  };
}
