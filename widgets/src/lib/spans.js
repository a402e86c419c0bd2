// @ts-check
import { h, say } from "./dom.js";
import { button } from "./frame.js";
import { ROW_PX, bar, phase } from "./waterfall.js";

/** @import { Line, Moment } from "../messages.js" */

const KEYS = "↑ ↓ rows, ← → fold, Enter goes to where it began, Space plays, / finds";

/** What stands still, and what is painted in it. */
export function parts() {
  const play = button("▶", "play", () => {});
  const range = h("input", "agl-range");
  const find = h("input", "agl-input"), hits = h("span", "agl-small");
  const words = h("span", "agl-ms"), toggles = h("span", "agl-toggles");
  const axis = h("div", "agl-span agl-axis"), scale = h("span", "agl-scale");
  const rows = h("div", "agl-rows"), spans = h("div", "agl-spans"), at = h("i");
  const detail = h("aside", "agl-detail"), said = h("p", "agl-small agl-then"), keys = h("p", "agl-small", KEYS);
  find.type = "search";
  find.placeholder = "find…";
  find.setAttribute("aria-label", "find a text in what was asked, said or given");
  find.title = "explorer.find";
  hits.setAttribute("role", "status");
  range.type = "range";
  range.min = "0";
  range.setAttribute("aria-label", "moment");
  range.title = "explorer.moment";
  toggles.setAttribute("role", "group");
  toggles.setAttribute("aria-label", "kinds that are shown");
  axis.append(h("span"), scale, h("span"));
  axis.setAttribute("aria-hidden", "true");
  // Over the rows and not among them: to paint a line as long as all of them takes a second.
  const cursor = h("div", "agl-cursor", h("div", "agl-span", h("span"), h("span", "agl-track", at), h("span")));
  cursor.setAttribute("aria-hidden", "true");
  rows.setAttribute("role", "rowgroup");
  spans.append(rows);
  spans.tabIndex = 0;
  spans.setAttribute("role", "treegrid");
  spans.setAttribute("aria-label", "runs and calls");
  detail.setAttribute("aria-label", "what is selected");
  detail.tabIndex = 0;
  const picture = h("div", "agl-picture", h("div", "agl-gutter", axis), h("div", "agl-view", spans, cursor));
  const travel = h("div", "agl-travel", picture, detail), stage = h("div", "agl-stage", travel);
  const foot = h("div", "agl-explain", said, keys);
  return { play, range, find, hits, words, toggles, scale, rows, spans, at, detail, said, picture, travel, stage, foot };
}

/** A row, whose texts are set anew while it grows. */
export function row() {
  const twist = h("span", "agl-twist"), name = h("span", "agl-call"), gist = h("span", "agl-gist"), word = h("span");
  const fill = h("i"), track = h("span", "agl-track", fill), ms = h("span", "agl-took");
  const what = h("span", "agl-clip", twist, name, " ", word, " ", gist);
  const el = h("div", "agl-span", what, track, ms);
  el.setAttribute("role", "row");
  for (const cell of [what, track, ms]) cell.setAttribute("role", "gridcell");
  return { el, what, twist, name, gist, word, fill, track, ms };
}

/**
 * Set what a row shows.
 * @param {ReturnType<typeof row>} made
 * @param {Line} line
 * @param {number} place
 * @param {boolean} on  whether it is selected
 * @param {Moment} moment
 */
export function fill(made, line, place, on, moment) {
  const { left, width } = bar(line, moment.span);
  const when = phase(line, moment.heard);
  made.el.className = `agl-span ${on ? "on" : ""} ${when}`.trim();
  made.el.style.top = `${place * ROW_PX}px`;
  made.el.setAttribute("aria-level", String(line.level));
  made.el.setAttribute("aria-rowindex", String(place + 1));
  made.el.setAttribute("aria-selected", String(on));
  if (line.below < 0) made.el.removeAttribute("aria-expanded");
  else made.el.setAttribute("aria-expanded", String(line.below === 1));
  made.what.style.paddingLeft = `${Math.min(line.level - 1, 12) * 14}px`;
  say(made.twist, line.below < 0 ? "" : line.below ? "▾" : "▸");
  say(made.name, line.name);
  say(made.gist, line.gist);
  say(made.word, line.word);
  say(made.ms, line.took);
  made.name.className = line.hue ? `agl-label ${line.hue}` : "";
  made.word.className = line.hue === "bad" ? "agl-label bad" : "agl-gist";
  const dot = !line.took && line.end >= 0;
  made.fill.className = `agl-fill ${line.hue} ${dot ? "dot" : ""}`.trim();
  made.fill.style.left = `${left}%`;
  made.fill.style.width = dot ? "" : `${width}%`;
  made.what.title = `${line.name} ${line.word} ${line.gist}`;
}
