// @ts-check
import { approvals } from "./lib/approval.js";
import { chart } from "./lib/chart_view.js";
import { h, say } from "./lib/dom.js";
import { follow } from "./lib/follow.js";
import { section, speaker, stopper } from "./lib/frame.js";
import { NOTHING, ahead, due, seconds, shown, spans, tell } from "./lib/fold.js";
import { child, step } from "./lib/rows.js";

/** @import { Child, End, Head, Now, Plan, PlanMark, Step } from "./messages.js" */
/** @typedef {{ board: string, lane: string, stoppable: boolean, answers: boolean }} Model */

const NEAR_PX = 16; // this close to the end, the reader still follows
const MOST_BELOW = 24; // runs below that are shown
const LONG = 4; // pieces without a line's end, after which one is made: laying it out takes ever longer

/** The card, and the parts of it that change. */
function draw() {
  const parts = {
    name: h("b", "agl-name"),
    chip: h("span", "agl-chip run", "waiting"),
    meta: h("span", "agl-meta"),
    end: h("span", "agl-end"),
    asked: h("dd"),
    facts: h("dl", "agl-qa"),
    steps: h("ul", "agl-steps"),
    gap: h("li", "agl-step agl-gap"),
    said: h("pre", "agl-pre"),
    line: h("span", "agl-para"),
    now: h("span"),
    caret: h("span", "agl-caret"),
    tail: h("li", "agl-step agl-tail"),
    round: h("div", "agl-round"),
    below: h("ul", "agl-steps"),
  };
  parts.name.title = "session";
  parts.asked.title = "session.prompt";
  parts.said.tabIndex = 0; // what scrolls can be scrolled by keyboard
  parts.said.setAttribute("aria-label", "what is being said");
  parts.line.append(parts.now, parts.caret);
  parts.said.append(parts.line);
  parts.tail.append(parts.said);
  parts.steps.append(parts.tail);
  parts.facts.append(h("dt", "", "asked"), parts.asked);
  parts.end.append(parts.meta, " ");
  const head = h("header", "agl-head", h("span", "agl-kind", "run"), " ", parts.name, " ", parts.chip, " ", parts.end);
  const body = h("div", "agl-card", head, parts.facts, parts.steps);
  return { body, ...parts };
}

/**
 * Draw what is said as spans, reusing those that are there: a selection in them survives.
 * @param {Element} within
 * @param {import("./lib/fold.js").Span[]} wanted
 */
function speakIn(within, wanted) {
  while (within.childNodes.length > wanted.length) within.lastChild?.remove();
  wanted.forEach(({ hue, text }, i) => {
    const span = within.children[i] ?? within.appendChild(h("span"));
    const cls = hue && `agl-label ${hue}`;
    if (span.className !== cls) span.className = cls;
    say(span, text);
  });
}

/** @type {import("@anywidget/types").Render<Model>} */
async function render({ model, el, signal }) {
  const lane = await follow({ model, signal }, () => paint());
  if (!lane) return;
  const { cell } = lane;
  const parts = draw(), voice = speaker(), plans = chart();
  const stop = stopper(model);
  const asks = approvals(model.get("answers") ? model : null, parts.said);
  /** @type {Map<number, ReturnType<typeof step>>} */
  const rows = new Map();
  /** @type {Map<number, ReturnType<typeof child>>} */
  const kids = new Map();
  let { line } = parts;
  let told = NOTHING, count = 0, following = true, skew = Infinity;

  /** @param {Now} now */
  const paintSteps = ({ steps, gap, longest }) => {
    if (steps === count) return;
    count = steps;
    const { rows: wanted, after } = shown(steps, (i) => cell(`s${i}`) !== null);
    for (const [i, { li }] of rows) {
      if (wanted.includes(i)) continue;
      li.remove();
      rows.delete(i);
    }
    for (const i of wanted) {
      if (rows.has(i)) continue;
      const made = step(i, /** @type {Step} */ (cell(`s${i}`)));
      rows.set(i, made);
      parts.steps.insertBefore(made.li, parts.tail.parentNode && parts.tail);
    }
    for (const { bar, ms } of rows.values()) bar.style.width = `${Math.round((ms / (longest || 1)) * 100)}%`;
    if (!gap) return;
    say(parts.gap, gap);
    if (!parts.gap.parentNode) rows.get(after)?.li.after(parts.gap);
  };

  /** @param {Now} now */
  const paintText = (now) => {
    const { anew, from, to } = due(told, now);
    if (anew) {
      line = parts.line;
      line.replaceChildren(parts.now, parts.caret);
      parts.said.replaceChildren(line);
      told = { ...NOTHING, turn: now.turn };
      following = true;
    }
    for (let i = from; i < to; i++) {
      const piece = String(cell(`p${i}`) ?? "");
      const whole = h("span");
      speakIn(whole, spans(piece, told.fresh));
      line.insertBefore(whole, parts.now);
      told = tell(told, piece);
      if (!told.fresh && told.within < LONG) continue;
      line = h("span", "agl-para", parts.now, parts.caret);
      parts.said.append(line);
      told = { ...told, within: 0 };
    }
    speakIn(parts.now, spans(String(cell("tail") ?? ""), told.fresh));
    if (following) parts.said.scrollTop = parts.said.scrollHeight;
  };

  /** @param {Now} now */
  const paintBelow = ({ below }) => {
    if (!below) return;
    if (!parts.below.parentNode) parts.body.append(parts.round, parts.below);
    const first = Math.max(0, below - MOST_BELOW);
    say(parts.round, first ? `${below} runs below it, the last ${MOST_BELOW}` : `${below} run${below > 1 ? "s" : ""} below it`);
    for (let i = first; i < below; i++) {
      let kid = kids.get(i);
      const news = /** @type {Child | null} */ (cell(`c${i}`));
      if (!news) continue;
      if (!kid) kids.set(i, (kid = child(i))), parts.below.append(kid.li);
      kid.paint(news);
    }
    for (const [i, { li }] of kids) if (i < first) li.remove(), kids.delete(i);
  };

  const paintPlan = () => {
    const plan = /** @type {Plan | null} */ (cell("plan"));
    if (!plan) return;
    if (!plans.el.parentNode) parts.facts.after(plans.el);
    plans.paint(plan, String(cell("planned") ?? ""), (i) => /** @type {PlanMark | null} */ (cell(`m${i}`)));
  };

  const paint = () => {
    const head = /** @type {Head | null} */ (cell("head"));
    const now = /** @type {Now | null} */ (cell("now"));
    if (!head || !now) return;
    skew = ahead(skew, Date.now(), lane.at());
    say(parts.name, head.agent);
    say(parts.asked, head.asked);
    say(parts.chip, now.word);
    if (parts.chip.className !== `agl-chip ${now.hue}`) parts.chip.className = `agl-chip ${now.hue}`;
    paintTime(head, now);
    paintPlan();
    paintSteps(now);
    paintBelow(now);
    asks.paint(cell);
    if (now.live) paintText(now);
    else finish(/** @type {End | null} */ (cell("end")));
    voice.say(now.word);
  };

  /**
   * @param {Head} head
   * @param {Now} now
   */
  const paintTime = (head, now) => {
    const spent = now.live ? [seconds(Date.now() - skew - head.began)] : [];
    say(parts.meta, [...spent, ...now.figures].join(" · "));
  };

  /** @param {End | null} end */
  const finish = (end) => {
    parts.tail.remove();
    asks.el.remove();
    stop.remove();
    clearInterval(clock);
    if (!end?.label || parts.facts.childElementCount > 2) return;
    const text = h("dd", end.label === "answer" ? "agl-answer" : "agl-bad", end.text);
    text.title = `session.${end.label}`;
    parts.facts.append(h("dt", "", end.label), text);
  };

  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const clock = setInterval(lane.soon, still ? 1000 : 200);
  parts.said.addEventListener("scroll", () => {
    const { scrollHeight, scrollTop, clientHeight } = parts.said;
    following = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  });
  parts.steps.after(asks.el);
  const card = section(parts.body, voice.region);
  if (model.get("stoppable")) parts.end.append(stop);
  el.append(card);
  paint();

  return () => {
    lane.leave();
    voice.leave();
    clearInterval(clock);
    card.remove();
  };
}

export default { render };
