// @ts-check
import { approvals } from "./approval.js";
import { h, say } from "./dom.js";
import { ahead, seconds } from "./fold.js";
import { follow } from "./follow.js";
import { frame, shown, stopper } from "./frame.js";

/** @import { End, Going, Title } from "../messages.js" */
/** @typedef {{ board: string, lane: string, stoppable: boolean, answers: boolean }} Model */
/** @typedef {(name: string) => unknown} Cell */
/** @typedef {import("./frame.js").Kernel} Kernel */

/**
 * The live card of agents that work together: its header line with the time and a Stop button,
 * the calls that wait for the reader, and how it ended; what is between is drawn by `paint`.
 * @param {(body: HTMLElement, kernel: Kernel, soon: () => void) => (cell: Cell, live: boolean) => void} draw
 * @returns {import("@anywidget/types").Render<Model>}
 */
export const company = (draw) => async ({ model, el, signal }) => {
  const lane = await follow({ model, signal }, () => paint());
  if (!lane) return undefined;
  const { cell } = lane;
  const stop = stopper(model);
  const parts = frame(...(model.get("stoppable") ? [stop] : []));
  const within = h("div"), facts = h("dl", "agl-qa");
  within.tabIndex = -1; // has the focus when the last question is answered
  const asks = approvals(model.get("answers") ? model : null, within);
  const fill = draw(within, model, lane.soon);
  parts.body.append(within, asks.el);
  let skew = Infinity, over = false;

  const finish = () => {
    over = true;
    stop.remove();
    asks.el.remove();
    clearInterval(clock);
    const end = /** @type {End | null} */ (cell("end"));
    if (!end?.label || (end.label === "answer" && cell("mod"))) return; // it is there already
    facts.append(h("dt", "", end.label), h("dd", end.label === "error" ? "agl-bad" : "agl-answer", end.text));
    parts.body.append(facts);
  };
  const paint = () => {
    const title = /** @type {Title | null} */ (cell("title"));
    const going = /** @type {Going | null} */ (cell("going"));
    if (!title || !going) return;
    skew = ahead(skew, Date.now(), lane.at());
    const spent = going.live ? [seconds(Date.now() - skew - going.began)] : [];
    parts.paint({ ...title, figures: [...title.figures, ...spent] });
    fill(cell, going.live);
    if (going.live) asks.paint(cell);
    else if (!over) finish();
  };
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const clock = setInterval(lane.soon, still ? 1000 : 200);
  return shown(el, parts, lane, paint, () => clearInterval(clock));
};

/** A text that grows, with a caret at its end while it does. */
export function growing() {
  const now = h("span"), caret = h("span", "agl-caret"), el = h("span", "agl-grows", now);
  /**
   * @param {string} text
   * @param {boolean} runs
   * @param {string} cls
   */
  const paint = (text, runs, cls = "") => {
    say(now, text);
    if (runs && !caret.parentNode) el.append(caret);
    else if (!runs) caret.remove();
    if (now.className !== cls) now.className = cls;
  };
  return { el, paint };
}
