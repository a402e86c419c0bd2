// @ts-check
import { h, say } from "./lib/dom.js";
import { company, growing } from "./lib/company.js";

/** @import { Bit, Debater, Speech } from "./messages.js" */
/** @typedef {{ el: HTMLElement, paint(said: Speech | null, scores: Bit[] | null): void }} Argued */

/**
 * A number beside its bar.
 * @param {Bit} bit
 */
function score({ text, bar, hue }) {
  const filled = h("i");
  filled.style.width = `${Math.round(100 * Math.min(1, bar))}%`;
  return h("span", "agl-score", h("span", `agl-bar ${hue}`.trim(), filled), ` ${text} `);
}

/**
 * What one says in a round, and how that is judged.
 * @param {string} name
 * @returns {Argued}
 */
function argued(name) {
  const text = growing(), scores = h("span");
  const el = h("div", "", h("span", "agl-spoken", `${name}: `), text.el, scores);
  let told = "";
  return {
    el,
    paint(said, given) {
      text.paint(said ? said.text : "", Boolean(said?.runs), said?.bad ? "agl-result bad" : "");
      const news = JSON.stringify(given);
      if (news === told) return;
      told = news;
      scores.replaceChildren(...(given ?? []).map(score));
    },
  };
}

const render = company((body) => {
  const grid = h("div", "agl-cols agl-held"), before = h("div", "agl-round"), more = h("div", "agl-note");
  const mod = growing(), facts = h("dl", "agl-qa", h("dt", "", "synthesis"), h("dd", "", mod.el));
  grid.tabIndex = 0; // what scrolls can be scrolled by keyboard
  grid.role = "region";
  grid.ariaLabel = "what is argued, a column a debater";
  body.append(grid);
  /** @type {Debater[]} */
  let sides = [];
  /** @type {HTMLElement[]} */
  let totals = [];
  /** @type {Map<number, { el: HTMLElement, title: HTMLElement, said: Argued[] }>} */
  const rounds = new Map();
  let told = "";

  /** @param {Debater[]} debaters */
  const enter = (debaters) => {
    sides = debaters;
    totals = sides.map(() => h("span", "agl-total"));
    grid.style.setProperty("--agl-n", String(Math.max(1, sides.length)));
    const heads = sides.map(({ name, position }, i) => h("div", "", h("b", "", name), " ", h("span", "agl-kind", position), " ", totals[i] ?? ""));
    grid.replaceChildren(...heads, before);
    rounds.clear();
    told = "";
  };
  /** @param {number} no */
  const begin = (no) => {
    const title = h("span"), said = sides.map(({ name }) => argued(name));
    const el = h("div", "agl-argued", h("div", "agl-round", title), ...said.map((each) => each.el));
    const made = { el, title, said };
    rounds.set(no, made);
    grid.append(el);
    return made;
  };

  return (cell) => {
    const debaters = /** @type {Debater[] | null} */ (cell("debaters"));
    if (!debaters) return;
    if (debaters !== sides) enter(debaters);
    const shown = /** @type {number[]} */ (cell("rounds") ?? []);
    for (const [no, { el }] of rounds) if (!shown.includes(no)) el.remove(), rounds.delete(no);
    say(before, String(cell("before") ?? ""));
    before.hidden = !before.textContent;
    for (const no of shown) {
      const { title, said } = rounds.get(no) ?? begin(no);
      say(title, String(cell(`round${no}`) ?? ""));
      said.forEach((each, i) => each.paint(
        /** @type {Speech | null} */ (cell(`said${no}.${i}`)),
        /** @type {Bit[] | null} */ (cell(`judged${no}.${i}`)),
      ));
    }
    const sums = /** @type {Bit[] | null} */ (cell("totals")), news = JSON.stringify(sums);
    if (sums && news !== told) {
      told = news;
      totals.forEach((total, i) => total.replaceChildren(...(sums[i] ? [score(sums[i])] : [])));
    }
    say(more, String(cell("more") ?? ""));
    if (more.textContent && !more.parentNode) body.append(more);
    const last = /** @type {Speech | null} */ (cell("mod"));
    if (!last) return;
    if (!facts.parentNode) body.append(facts);
    mod.paint(last.text, last.runs, last.bad ? "agl-bad" : "");
  };
});

export default { render };
