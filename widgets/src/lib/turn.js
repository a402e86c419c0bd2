// @ts-check
import { growing } from "./company.js";
import { h, say } from "./dom.js";
import { button } from "./frame.js";
import { step } from "./rows.js";

/** @import { Turned } from "../messages.js" */

/**
 * The session of an agent, as far as it has got.
 * @param {() => void} leave
 */
export function session(leave) {
  const name = h("b", "agl-name"), turn = h("span", "agl-meta");
  const close = button("Close", "look at none (Escape)", leave);
  const asked = h("pre", "agl-pre"), text = growing(), label = h("dt"), end = h("dd", "", text.el), steps = h("ul", "agl-steps");
  const facts = h("dl", "agl-qa", h("dt", "", "asked"), h("dd", "", asked), label, end);
  const head = h("header", "agl-head", h("span", "agl-kind", "session"), " ", name, " ", h("span", "agl-end", turn, " ", close));
  const el = h("section", "agl-turn", head);
  asked.tabIndex = 0; // what scrolls can be scrolled by keyboard
  asked.ariaLabel = "what it was asked";
  el.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    leave();
  });
  let drawn = "";
  return {
    el,
    focus: () => close.focus(),
    /**
     * @param {string} who
     * @param {Turned | null} told
     */
    paint(who, told) {
      el.ariaLabel = `the session of ${who}`;
      say(name, who);
      say(turn, told?.turn ?? "nothing was asked of it yet");
      name.title = told?.path ?? "";
      if (told && !facts.parentNode) head.after(facts);
      else if (!told) facts.remove();
      say(asked, told?.asked ?? "");
      say(label, told?.label || "says");
      text.paint(told ? told.text || told.said : "", Boolean(told?.runs), told?.label === "error" ? "agl-bad" : "");
      const key = JSON.stringify([told?.path, told?.first, told?.steps.length]);
      if (key === drawn) return;
      drawn = key;
      const rows = (told?.steps ?? []).map((each, i) => step((told?.first ?? 0) + i, each));
      const longest = Math.max(1, ...rows.map(({ ms }) => ms));
      for (const { bar, ms } of rows) bar.style.width = `${Math.round((100 * ms) / longest)}%`;
      steps.replaceChildren(...rows.map(({ li }) => li));
      if (rows.length) el.append(steps);
      else steps.remove();
    },
  };
}
