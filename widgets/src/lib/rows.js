// @ts-check
import { h, say } from "./dom.js";

/** @import { Child, Step } from "../messages.js" */

/**
 * One step: a line that makes sense alone, and all of it inside; the twin of the static row.
 * @param {number} index
 * @param {Step} step
 */
export function step(index, { tool, did, came, bad, ms, took, texts }) {
  const line = h("span", "agl-line1", " ", h("span", "agl-call", ...(tool ? [h("b", "", tool)] : []), did));
  if (came) line.append(h("span", "agl-arrow", " → "), h("span", bad ? "agl-result bad" : "agl-result", came));
  const bar = h("i");
  const body = h("div", "agl-body");
  for (const { hue, name, text, path } of texts) {
    const pre = h("pre", "agl-pre", text);
    pre.title = path;
    body.append(h("span", `agl-label ${hue}`, name), " ", pre, " ");
  }
  const right = h("span", "agl-ms", h("span", "agl-bar", bar), " ", took);
  const head = h("summary", "", h("span", "agl-no", String(index + 1)), line, " ", right);
  const li = h("li", "agl-step", h("details", "", head, body));
  li.title = `session.steps[${index}]`;
  return { li, bar, ms };
}

/**
 * A run below: who, how it stands, and the end of what it says, on one line.
 * @param {number} index
 */
export function child(index) {
  const name = h("b", "agl-name");
  const chip = h("span", "agl-chip");
  const said = h("span", "agl-result");
  const li = h("li", "agl-step agl-kid", h("span", "agl-no", String(index + 1)), h("div", "agl-line1", name, " ", chip, " ", said));
  /** @param {Child} news */
  const paint = (news) => {
    say(name, news.name);
    say(chip, news.word);
    say(said, news.said);
    chip.className = `agl-chip ${news.hue}`.trim();
    li.style.paddingLeft = news.depth > 1 ? `${12 * news.depth}px` : "";
  };
  return { li, paint };
}
