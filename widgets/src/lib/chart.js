// @ts-check
import { h } from "./dom.js";

/** @import { Bars, Bit, Grid, Tile } from "../messages.js" */

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 120, TALL = 28; // of the field a line is drawn in; the page stretches it
const MANY = 8; // columns: in a narrow cell there is then room under every other one

/**
 * The way of a line through values, the newest at the right; where one is unknown it is broken.
 * @param {number[]} values
 * @param {number} room
 * @param {number} most
 * @returns {string}
 */
export function line(values, room, most) {
  const first = room - values.length, step = WIDE / Math.max(1, room - 1);
  let pen = "M";
  return values.map((value, i) => {
    if (value < 0) { pen = "M"; return ""; }
    const x = (first + i) * step, y = TALL - 1 - ((TALL - 2) * value) / (most || 1);
    const part = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    // a value with no known neighbour is a dot
    const alone = pen === "M" && !((values[i + 1] ?? -1) >= 0);
    pen = "L";
    return alone ? `${part}h.1` : part;
  }).join("");
}

/**
 * An element of a picture.
 * @param {string} tag
 * @param {Record<string, string | number>} attrs
 * @param {...(Node | string)} children
 */
export function s(tag, attrs, ...children) {
  const el = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attrs)) el.setAttribute(name, String(value));
  el.append(...children);
  return el;
}

/**
 * A figure with its way in the moments before.
 * @param {Tile} tile
 */
export function tile({ name, now, most, values, room }) {
  const path = s("path", { d: line(values, room, Math.max(...values, 0)), class: "agl-curve", "vector-effect": "non-scaling-stroke" });
  const picture = s("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", role: "img", class: "agl-spark" }, s("title", {}, `${name}: ${now} now, ${most} in the last minute`), path);
  return h("div", "agl-tile", h("span", "agl-small", name), " ", h("b", "agl-figure", now), " ", h("span", "agl-small", most), picture);
}

/**
 * A histogram, as the static card draws it: across in percent, down in pixels.
 * @param {Bars} bars
 */
export function histogram({ title, path, under, spans, counts }) {
  const top = 16, tallest = 56, foot = top + tallest, width = 100 / counts.length, most = Math.max(...counts) || 1;
  const parts = counts.flatMap((times, i) => {
    const tall = Math.max(1, Math.ceil((tallest * times) / most)), middle = `${(i + 0.5) * width}%`;
    const text = { x: middle, "text-anchor": "middle", "font-size": 11 };
    return [
      s("rect", { class: "agl-column", x: `${(i + 0.07) * width}%`, y: foot - tall, width: `${0.86 * width}%`, height: tall, rx: 1 }, s("title", {}, `${spans[i]}: ${times}`)),
      s("text", { ...text, class: "agl-count", y: foot - tall - 4 }, times ? times.toLocaleString("en") : ""),
      s("text", { ...text, class: counts.length > MANY && i % 2 ? "agl-tick odd" : "agl-tick", y: foot + 13 }, under[i] ?? ""),
    ];
  });
  const said = counts.map((times, i) => (times ? `${spans[i]} ${times}` : "")).filter(Boolean).join(", ");
  const figure = h("figure", "agl-plot", h("figcaption", "agl-small", title), s("svg", { role: "img", width: "100%", height: foot + 16 }, s("title", {}, `${title}: ${said}`), ...parts));
  figure.title = path;
  return figure;
}

/**
 * A table.
 * @param {Grid} grid
 */
export function grid({ caption, path, columns, classes, rows }) {
  const heads = columns.map((name, i) => scoped(h("th", classes[i], name), "col"));
  const lines = rows.map((bits, no) => h("tr", "", ...bits.map((bit, i) => {
    const made = i ? h("td", classes[i]) : scoped(h("th", classes[i]), "row");
    made.append(...drawn(bit));
    if (!i) made.title = `${path}[${no}]`;
    return made;
  })));
  const table = h("table", "agl-table", h("caption", "", caption), h("thead", "", h("tr", "", ...heads)), h("tbody", "", ...lines));
  const box = h("div", "agl-scroll", table);
  box.tabIndex = 0; // what scrolls can be scrolled by keyboard
  return box;
}

/**
 * @param {HTMLTableCellElement} cell
 * @param {string} scope
 */
function scoped(cell, scope) {
  cell.scope = scope;
  return cell;
}

/** @param {Bit} bit */
function drawn({ text, bar, hue }) {
  if (hue === "call") return [h("span", "agl-call", h("b", "", text))];
  if (hue === "code") return [h("span", "agl-code", text)]; // written out: the sheet is cut to such names
  if (bar < 0) return [text];
  const filled = h("i");
  filled.style.width = `${Math.round(100 * bar)}%`;
  return [h("span", `agl-bar ${hue}`.trim(), filled), " ", text];
}
