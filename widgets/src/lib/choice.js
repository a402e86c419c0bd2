// @ts-check
import { h, say } from "./dom.js";
import { copier } from "./frame.js";
import { choices, decimal, percent, spelled } from "./tokens.js";

/** @import { Book } from "./tokens.js" */

const NOT_TOLD = "Alternatives were not told: the model gives none, or several tokens came in one piece.";

/**
 * What is known of one token: how likely it was, where it is in Python, what else there was.
 * @param {Book} all
 */
export function choice(all) {
  const name = h("b", "agl-code agl-token"), where = h("span", "agl-small");
  const p = h("b", "agl-figure"), log = h("span", "agl-small");
  const path = h("code", "agl-code"), note = h("span", "agl-small"), rows = h("div", "agl-odds");
  const copy = copier(path);
  const hint = h("span", "agl-small", "Point at a token, click it, or walk there by keyboard.");
  const known = [h("div", "agl-pair", name, where), h("div", "agl-pair", p, log), h("div", "agl-pair", path, copy), rows, note];
  const el = h("div", "agl-detail", hint);

  /**
   * @param {string} text
   * @param {number} share
   * @param {string} said
   * @param {string} cls
   */
  const row = (text, share, said, cls) => {
    const filled = h("i");
    filled.style.width = `${Math.round(100 * share)}%`;
    return h("div", `agl-odd ${cls}`.trim(), h("span", "agl-code agl-clip", text), h("span", "agl-bar", ...(share >= 0.005 ? [filled] : [])), h("span", "agl-ms", said));
  };

  return {
    el,
    /**
     * @param {number} at
     * @param {string} root
     * @param {string} of  the step and the section
     */
    show(at, root, of) {
      if (!name.parentNode?.parentNode) el.replaceChildren(...known);
      if (path.textContent !== `${root}[${at}]`) say(copy, "Copy");
      say(path, `${root}[${at}]`);
      say(name, spelled(all.texts[at] ?? ""));
      say(where, of);
      const value = all.logs[at] ?? 1;
      say(p, value > 0 ? "–" : percent(value));
      say(log, value > 0 ? "log-probability not told" : `log p ${decimal(value)}`);
      const told = all.told[at] ?? false, { rows: some, rest } = choices(all, at);
      say(note, told ? "" : NOT_TOLD);
      const left = rest < 0.0005 ? "<0.1%" : percent(Math.log(rest));
      rows.replaceChildren(...(told ? [
        ...some.map((each) => row(each.said ? `${each.text} ← said` : each.text, Math.exp(Math.min(each.log, 0)), each.log > 0 ? "–" : percent(each.log), each.said ? "said" : "")),
        row("all others", rest, left, "rest"),
      ] : []));
    },
    hide() { el.replaceChildren(hint); },
  };
}
