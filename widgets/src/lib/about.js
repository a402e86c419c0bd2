// @ts-check
import { h, say } from "./dom.js";
import { button } from "./frame.js";

/** @import { About } from "../messages.js" */

const HINT = "Nothing is selected: click an entity or an edge, or press an arrow key in the picture.";

/**
 * What is known of the selected thing, where it is in Python, and whom it is related to.
 * @param {{ select: (no: number) => void, open: () => void, from: () => void, to: () => void }} acts
 */
export function about(acts) {
  const name = h("b", "agl-name"), tag = h("span", "agl-tag"), facts = h("dl", "agl-facts");
  const path = h("code", "agl-code"), kin = h("div", "agl-slot");
  const copy = button("Copy", "copy the Python path", async () => {
    const done = await navigator.clipboard?.writeText(path.textContent ?? "").then(() => true, () => false);
    if (!done) getSelection()?.selectAllChildren(path);
    say(copy, done ? "Copied" : "Press Ctrl+C");
  });
  const does = h("div", "agl-toggles",
    button("Neighbourhood", "look at what it is joined to (Enter)", acts.open),
    button("Path from", "the path begins here", acts.from), button("Path to", "the path ends here", acts.to));
  const hint = h("span", "agl-small", HINT);
  const known = [h("div", "agl-titled", name, " ", tag), facts, does, kin, h("div", "agl-pair", path, copy)];
  const el = h("aside", "agl-detail", hint);
  el.tabIndex = 0;
  el.setAttribute("aria-label", "what is selected");
  name.title = "explorer.selected";

  /** @param {string} term @param {...(Node | string)} told */
  const fact = (term, ...told) => [h("dt", "", term), h("dd", "", ...told)];
  let drawn = "";
  return {
    el,
    /** @param {About | null} what */
    paint(what) {
      const text = JSON.stringify(what);
      if (text === drawn) return;
      drawn = text;
      if (!what) return el.replaceChildren(hint);
      if (!name.isConnected) el.replaceChildren(...known);
      say(name, what.name);
      say(tag, what.tag);
      tag.hidden = !what.tag;
      does.hidden = what.links < 0;
      does.style.display = what.links < 0 ? "none" : "";
      if (path.textContent !== what.path) say(copy, "Copy");
      say(path, what.path);
      const filled = h("i");
      filled.style.width = `${Math.round(100 * what.share)}%`;
      facts.replaceChildren(
        ...what.names.flatMap((term, i) => fact(term, what.values[i] ?? "")),
        ...(what.links < 0 ? [] : fact("degree", String(what.links))),
        ...(what.between < 0 ? [] : fact("between", h("span", "agl-bar tool", ...(what.share > 0.01 ? [filled] : [])), String(what.between))),
      );
      kin.replaceChildren(...what.kin.map(({ kind, out, nos, names, more }) => {
        const all = nos.map((no, i) => {
          const go = h("button", "agl-link", names[i] ?? "");
          go.type = "button";
          go.addEventListener("click", () => acts.select(no));
          return h("span", "agl-kin", go, i < nos.length - 1 || more ? "," : "");
        });
        const way = what.links < 0 ? kind : out ? `${kind} →` : `← ${kind}`;
        return h("p", "agl-small", h("span", "agl-label", way), " ", ...all, more);
      }));
    },
  };
}
