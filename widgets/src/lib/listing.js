// @ts-check
import { h } from "./dom.js";
import { HUED } from "./ground.js";
import { ROW_PX, reach, wanted } from "./waterfall.js";

const ROOM_ROWS = 7;

/**
 * All entities as a table, or those that are looked for; only rows in sight are there.
 * @param {string} page
 * @param {{ select: (no: number) => void, open: (no: number) => void }} acts
 */
export function listing(page, acts) {
  const rows = h("div", "agl-rows"), el = h("div", "agl-listing", rows);
  el.tabIndex = 0;
  el.setAttribute("role", "grid");
  el.setAttribute("aria-label", "entities");
  /** @type {{ names: string[], tags: string[], groups: string[], links: number[], between: number[], hues: ArrayLike<number> } | null} */
  let all = null;
  /** @type {ArrayLike<number>} */
  let order = [];
  let picked = -1, row = -1, key = "", version = 0;

  /** @param {number} at */
  const line = (at) => {
    const no = order[at] ?? 0, data = /** @type {NonNullable<typeof all>} */ (all);
    const most = data.links[0] || 1, links = data.links[no] ?? 0, filled = h("i");
    filled.style.width = `${Math.round((100 * links) / most)}%`;
    const dot = h("i", `agl-swatch ${HUED[data.hues[no] ?? 0]}`);
    const cells = [
      h("span", "agl-clip", dot, data.names[no] ?? ""), h("span", "agl-clip agl-gist", data.tags[no] ?? ""),
      h("span", "agl-clip agl-gist", data.groups[no] ?? ""),
      h("span", "agl-took", h("span", "agl-bar", filled), String(links)),
      h("span", "agl-took", data.between.length ? (data.between[no] ?? 0).toFixed(4) : ""),
    ];
    for (const cell of cells) cell.setAttribute("role", "gridcell");
    const made = h("div", `agl-entry${no === picked ? " on" : ""}`, ...cells);
    made.id = `agl-${page}-${no}`;
    made.setAttribute("role", "row");
    made.setAttribute("aria-rowindex", String(at + 1));
    made.setAttribute("aria-selected", String(no === picked));
    made.style.top = `${at * ROW_PX}px`;
    made.title = data.names[no] ?? "";
    made.addEventListener("click", () => acts.select(no));
    made.addEventListener("dblclick", () => acts.open(no));
    return made;
  };
  const draw = () => {
    if (!all) return;
    const { start, size } = wanted(el.scrollTop, el.clientHeight, order.length);
    const now = `${start} ${size} ${picked} ${version}`;
    if (now === key) return;
    key = now;
    rows.style.height = `${order.length * ROW_PX}px`;
    rows.replaceChildren(...Array.from({ length: size }, (_, i) => line(start + i)));
    el.setAttribute("aria-rowcount", String(order.length));
    if (rows.querySelector(".on")) el.setAttribute("aria-activedescendant", `agl-${page}-${picked}`);
    else el.removeAttribute("aria-activedescendant");
  };
  /** @type {Record<string, (at: number) => number>} */
  const keys = {
    ArrowDown: (at) => at + 1,
    ArrowUp: (at) => at - 1,
    PageDown: (at) => at + 6,
    PageUp: (at) => at - 6,
    Home: () => 0,
    End: () => order.length - 1,
  };
  el.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && picked >= 0) acts.open(picked);
    else if (keys[event.key] && order.length) {
      const to = keys[event.key]?.(row) ?? 0;
      acts.select(order[Math.min(Math.max(to, 0), order.length - 1)] ?? 0);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  el.addEventListener("scroll", draw, { passive: true });
  return {
    el,
    draw,
    /**
     * @param {NonNullable<typeof all>} data
     * @param {ArrayLike<number>} shown
     */
    fill(data, shown) {
      all = data;
      order = shown;
      version++;
      el.style.height = `${Math.min(ROOM_ROWS, data.names.length) * ROW_PX}px`;
      row = Array.prototype.indexOf.call(order, picked);
      draw();
    },
    /** @param {number} no */
    pick(no) {
      if (no === picked) return;
      picked = no;
      row = Array.prototype.indexOf.call(order, no);
      if (row >= 0) el.scrollTop = reach(row, el.scrollTop, el.clientHeight);
      draw();
    },
  };
}
