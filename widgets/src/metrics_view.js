// @ts-check
import { h, say } from "./lib/dom.js";
import { grid, histogram, tile } from "./lib/chart.js";
import { follow } from "./lib/follow.js";
import { button, closer, frame, shown } from "./lib/frame.js";

/** @import { Bars, Grid, Tile, Title } from "./messages.js" */
/** @typedef {{ board: string, lane: string }} Model */

/** @type {import("@anywidget/types").Render<Model>} */
async function render(props) {
  const { model, el } = props;
  let held = false;
  const hold = button("Hold", "let it stand still, to read it", () => {
    held = !held;
    say(hold, held ? "Go on" : "Hold");
    paint();
  });
  const parts = frame(hold, closer(model));
  const tiles = h("div", "agl-tiles"), plot = h("div"), table = h("div");
  parts.body.append(tiles, plot, table);

  /** What was drawn, by where it stands: what is the same is left alone. */
  const drawn = new Map();
  /**
   * @template T
   * @param {Element} where
   * @param {T | null} what
   * @param {(what: T) => Element[]} draw
   */
  const put = (where, what, draw) => {
    const text = JSON.stringify(what);
    if (drawn.get(where) === text) return;
    drawn.set(where, text);
    const left = where.firstElementChild?.scrollLeft ?? 0;
    where.replaceChildren(...(what ? draw(what) : []));
    if (left && where.firstElementChild) where.firstElementChild.scrollLeft = left;
  };
  const paint = () => {
    const title = /** @type {Title | null} */ (lane?.cell("title"));
    if (held || !lane || !title) return;
    parts.paint(title);
    put(tiles, /** @type {Tile[] | null} */ (lane.cell("tiles")), (some) => some.map(tile));
    put(plot, /** @type {Bars | null} */ (lane.cell("bars")), (bars) => [histogram(bars)]);
    put(table, /** @type {Grid | null} */ (lane.cell("grid")), (rows) => [grid(rows)]);
  };

  const lane = await follow(props, paint);
  return lane ? shown(el, parts, lane, paint) : undefined;
}

export default { render };
