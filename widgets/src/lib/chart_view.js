// @ts-check
import { s } from "./chart.js";
import { h, say } from "./dom.js";

/** @import { Plan, PlanMark, PlanPart } from "../messages.js" */
/** @typedef {{ el: Element, paint(mark: PlanMark): void }} Part */

const LEFT = 26, MARK = 11; // pixels, from the edge of a box to its label and to its mark
const DEEPEST = 12; // levels that are set in
const SPARE = 24; // pixels round the part that is under way, where it has to be scrolled to

/**
 * A part on a line, set in by how deep it is.
 * @param {PlanPart} part
 * @returns {Part}
 */
function line({ label, who, depth }) {
  const mark = h("span", "agl-mark"), came = h("span", "agl-came"), arrow = h("span", "agl-dim", " → "), stands = h("span", "agl-stands");
  const whole = h("span", "agl-whole", h("b", "agl-partname", label), h("span", "agl-dim", who && ` · ${who}`), arrow, came);
  const el = h("li", "agl-part", mark, whole, " ", stands);
  mark.ariaHidden = "true"; // the word says the same
  if (depth) el.style.setProperty("--agl-depth", String(Math.min(depth, DEEPEST)));
  /** @param {PlanMark} news */
  const paint = (news) => {
    el.className = `agl-part ${news.status}`.trim();
    say(mark, news.mark);
    say(came, news.said);
    arrow.hidden = !news.said;
    say(stands, news.word);
  };
  return { el, paint };
}

/**
 * A part in a picture: a box, its label, and under it how it stands.
 * @param {PlanPart} part
 * @returns {Part}
 */
function box({ label, who, outline, x, y, tall }) {
  const mark = s("text", { class: "agl-mark", x: x + MARK }), name = s("text", { class: "agl-partname", x: x + LEFT, "font-size": 12 }, label);
  const under = s("text", { class: "agl-under", x: x + LEFT, y: y + 32, "font-size": 11 });
  const el = s("g", { class: "agl-box", role: "listitem" }, s("path", { d: outline }), mark, name, under);
  /** @param {PlanMark} news */
  const paint = (news) => {
    const two = tall >= 32 && news.said, top = String(y + (two ? 17 : tall / 2 + 4));
    el.setAttribute("class", `agl-box ${news.status}`.trim());
    el.setAttribute("aria-label", [label, who, news.word].filter(Boolean).join(", "));
    mark.setAttribute("y", top);
    name.setAttribute("y", top);
    say(mark, news.mark);
    say(under, two ? news.said : "");
  };
  return { el, paint };
}

/**
 * A picture: what leads from one part to another, words beside that, and the parts.
 * @param {Plan} plan
 * @param {Part[]} parts
 */
function picture({ title, wide, tall, ways, back, heads, signs }, parts) {
  const words = signs.map(({ text, x, y }) => s("text", { class: "agl-tick", x, y, "font-size": 11 }, text));
  const drawing = s("g", { "aria-hidden": "true" }, s("path", { class: "agl-lead", d: ways }), s("path", { class: "agl-lead back", d: back }), s("path", { class: "agl-tip", d: heads }), ...words);
  const list = s("g", { role: "list", "aria-label": title }, ...parts.filter(({ el }) => el.firstElementChild?.getAttribute("d")).map(({ el }) => el));
  return h("div", "agl-scroll agl-chart agl-low", s("svg", { width: wide, height: tall }, drawing, list));
}

/** The chart of a run, as it stands: a list, a tree, or a picture. */
export function chart() {
  const title = h("span"), planned = h("span"), el = h("div", "agl-plan", h("div", "agl-round", title, ": ", planned));
  /** @type {HTMLElement | null} */
  let field = null;
  /** @type {Part[]} */
  let parts = [];
  /** @type {(PlanMark | null)[]} */
  let told = [];
  let turn = 0;

  /** @param {Plan} plan */
  const begin = (plan) => {
    ({ turn } = plan);
    field?.remove();
    told = [];
    parts = plan.parts.map(plan.shape === "flow" ? box : line);
    if (plan.shape === "flow") field = picture(plan, parts);
    else {
      field = h("ul", "agl-parts agl-low", ...parts.map((part) => part.el));
      if (plan.more) field.append(h("li", "agl-gap", plan.more));
      field.role = "list";
      field.ariaLabel = plan.title;
    }
    field.tabIndex = 0; // what scrolls can be scrolled by keyboard
    say(title, plan.title);
    el.append(field);
  };

  /**
   * Bring a part into view, unless somebody is reading.
   * @param {Element} part
   */
  const show = (part) => {
    if (!field || field.matches(":hover, :focus, :focus-within")) return;
    const [here, there] = [field.getBoundingClientRect(), part.getBoundingClientRect()];
    if (there.bottom > here.bottom) field.scrollTop += there.bottom - here.bottom + SPARE;
    else if (there.top < here.top) field.scrollTop -= here.top - there.top + SPARE;
  };

  /**
   * @param {Plan} plan
   * @param {string} words
   * @param {(index: number) => PlanMark | null} mark
   */
  const paint = (plan, words, mark) => {
    if (plan.turn !== turn) begin(plan);
    say(planned, words);
    parts.forEach((part, i) => {
      const news = mark(i);
      if (!news || news === told[i]) return;
      part.paint(news);
      if (news.status === "running" && told[i]?.status !== "running") show(part.el);
      told[i] = news;
    });
  };
  return { el, paint };
}
