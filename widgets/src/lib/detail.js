// @ts-check
import { h } from "./dom.js";
import { button, copier } from "./frame.js";
import { step } from "./rows.js";

/** @import { Detail, Prompt, Steps, Words } from "../messages.js" */

/**
 * A Python path, and a button that copies it.
 * @param {string} path
 */
function copied(path) {
  const code = h("code", "agl-code agl-small", path), copy = copier(code);
  copy.title = `copy ${path}`;
  return h("span", "agl-end", code, copy);
}

/**
 * The name of a text, and its Python path.
 * @param {string} hue
 * @param {string} name
 * @param {string} path  "" for none
 */
const named = (hue, name, path) => h("div", "agl-pair", h("span", `agl-label ${hue}`.trim(), name), ...(path ? [copied(path)] : []));

/** @param {Detail} detail */
export function heading({ hue, label, name, gist, chip, word, notes, path }) {
  const line = h("div", "agl-titled");
  if (label) line.append(h("span", `agl-label ${hue}`.trim(), label), " ");
  if (name) line.append(h("span", gist ? "agl-call" : "", h("b", "", name), gist), " ");
  if (word) line.append(h("span", `agl-chip ${chip}`.trim(), word));
  line.title = path;
  if (label || name) line.append(copied(path));
  return [line, ...notes.filter(Boolean).map((note) => h("p", "agl-small", note))];
}

/** @param {Words} text */
export function words({ hue, name, text, path }) {
  const pre = h("pre", "agl-pre", text);
  pre.title = path;
  pre.tabIndex = 0; // what scrolls can be scrolled by keyboard
  return h("div", "", named(hue, name, path), pre);
}

/**
 * A prompt: what the model had seen, dimmed, then what is new.
 * @param {Prompt} prompt
 * @param {() => void} whole  asks for all of it
 */
export function prompt({ system, start, gap, end, added, note, more, path }, whole) {
  const parts = [];
  if (system) {
    const about = h("details", "agl-system", h("summary", "agl-label", "system"), h("pre", "agl-pre", system));
    about.title = "explorer.selected.system";
    parts.push(about);
  }
  const before = h("pre", "agl-pre agl-dim", start, ...(gap ? [h("span", "agl-more", gap)] : []), end);
  if (start || gap) parts.push(h("div", "", named("", "prompt, as seen before", path), before));
  const news = h("pre", "agl-pre agl-new", added);
  const all = !start && !gap;
  parts.push(h("div", "", named("tool", all ? "prompt" : "new in the prompt", all ? path : "explorer.selected.added"), news));
  parts.push(h("p", "agl-small", note, " ", ...(more ? [button("Show all", "of what the model was sent", whole)] : [])));
  for (const pre of [before, news]) pre.tabIndex = 0;
  before.title = path;
  news.title = all ? path : "explorer.selected.added";
  return parts;
}

/** @param {Steps} some */
export function steps({ first, steps: all, before }) {
  const longest = Math.max(1, ...all.map(({ ms }) => ms));
  const rows = all.map((each, i) => {
    const { li, bar, ms } = step(first + i, each);
    bar.style.width = `${Math.round((ms / longest) * 100)}%`;
    li.title = `explorer.selected.steps[${first + i}]`;
    return li;
  });
  if (before) rows.unshift(h("li", "agl-step agl-gap", before));
  return rows.length ? [h("ul", "agl-steps", ...rows)] : [];
}
