// @ts-check
import { choice } from "./lib/choice.js";
import { h, say } from "./lib/dom.js";
import { follow } from "./lib/follow.js";
import { button, closer, frame, shown, stopper } from "./lib/frame.js";
import { strip } from "./lib/strip.js";
import { book, doubtful, doubts, part, seek, take, within } from "./lib/tokens.js";
import { words } from "./lib/words.js";

/** @import { Chosen, Heard, Spoken, Title, Tokens } from "./messages.js" */
/** @typedef {{ board: string, lane: string, stoppable?: boolean }} Model */

const SEND_MS = 100; // the kernel is told of a choice no more often
const NEAR_PX = 16; // this close to the end, the reader still follows
const HEAD_PX = 28; // of the line of a step, that stays in sight
const LINE = 400; // tokens, at most, that are looked through for the line above or below
const MOST_CHIPS = 40;
const KEYS = "The redder, the less likely; underlined: doubtful. ← → ↑ ↓ walk, n and p: the next and the previous doubt.";

/** @type {import("@anywidget/types").Render<Model>} */
async function render(props) {
  const { model, el } = props;
  const me = Math.random().toString(36).slice(2);
  const all = book(), text = words(all), detail = choice(all);
  /** @type {(Spoken | null)[]} */
  const steps = [];
  /** @type {Chosen} */
  let chosen = { at: -1, below: 50, step: -1, by: "" };
  let pieces = 0, hovered = -1, marked = 0, stop = 0, following = true, timer = 0, sends = 0, sent = "", news = "", seen = "", root = "tokens";

  const parts = frame(model.get("stoppable") ? stopper(model) : closer(model)); // a run that ends closes it
  const slider = h("input", "agl-range"), count = h("span", "agl-small");
  Object.assign(slider, { type: "range", min: "1", max: "99", value: "50", title: "below which probability a token is doubtful" });
  slider.ariaLabel = "doubt below, in percent";
  const before = button("‹ Previous", "the doubtful token before (p)", () => jump(-1));
  const after = button("Next ›", "the next doubtful token (n)", () => jump(1));
  const chips = h("div", "agl-toggles agl-chips");
  chips.role = "group";
  chips.ariaLabel = "steps";
  const row = h("div", "agl-bar2", h("span", "agl-small", "step"), chips);
  row.style.display = "none";
  const asked = h("dd"), goal = h("dl", "agl-qa", h("dt", "", "asked"), asked);
  goal.style.display = "none";
  const chart = strip((at) => choose(at, true));
  parts.body.append(
    goal, h("div", "agl-bar2", h("span", "agl-small", "doubt below"), slider, count, h("span", "agl-acts", before, after)),
    row, chart.el, h("div", "agl-split agl-reading", text.list, detail.el), h("p", "agl-explain agl-small", KEYS),
  );

  const range = () => within(steps, chosen.step, all.texts.length);

  const tell = () => {
    timer ||= window.setTimeout(() => {
      timer = 0;
      const { at, below, step } = chosen;
      sent = `${me}.${++sends}`;
      model.send({ type: "choose", at, below, step, by: sent });
    }, SEND_MS);
  };

  /** @param {number} at */
  const where = (at) => {
    const i = Math.max(0, steps.findLastIndex((step) => step && step.first <= at));
    const step = steps[i];
    return step ? `${step.names[part(step.starts, at)] ?? ""} of step ${step.no}` : "";
  };

  const look = () => {
    const at = hovered >= 0 ? hovered : chosen.at;
    if (at >= 0 && at < all.texts.length) detail.show(at, root, where(at));
    else detail.hide();
    chart.mark(at);
  };

  /** Mark what is selected, and let it be what Tab comes to. @param {number} to */
  const select = (to) => {
    const old = text.els[marked], now = text.els[to];
    if (old && marked !== to) old.ariaSelected = "false", (old.tabIndex = -1);
    const tabbed = text.els[stop], next = now ?? text.els[range()[0]];
    if (tabbed && tabbed !== next) tabbed.tabIndex = -1;
    if (next) next.tabIndex = 0, (stop = to >= 0 && now ? to : range()[0]);
    if (now) now.ariaSelected = "true", (now.ariaLabel = text.said(to));
    if (to >= 0) marked = to;
  };

  /**
   * @param {number} at
   * @param {boolean} focus
   */
  const choose = (at, focus) => {
    const [from, to] = range();
    if (at < from || at >= to) return;
    chosen = { ...chosen, at };
    following = false;
    hovered = -1;
    select(at);
    look();
    const now = text.els[at];
    if (now) focus ? now.focus({ preventScroll: true }) : null, show(now);
    parts.say(`${root}[${at}] ${text.said(at)}`);
    tell();
  };

  /** Bring a token into sight, and move nothing but the text. @param {HTMLElement} now */
  const show = (now) => {
    const box = text.list.getBoundingClientRect(), it = now.getBoundingClientRect();
    if (it.top < box.top + HEAD_PX) text.list.scrollTop += it.top - box.top - HEAD_PX - 12;
    else if (it.bottom > box.bottom - 8) text.list.scrollTop += it.bottom - box.bottom + 40;
  };

  /** @param {1 | -1} way */
  const jump = (way) => {
    const [from, to] = range(), none = way > 0 ? from - 1 : to;
    const found = seek(all.ps, chosen.at < from || chosen.at >= to ? none : chosen.at, way, chosen.below, from, to);
    if (found >= 0) choose(found, true);
    else parts.say(`no ${way > 0 ? "later" : "earlier"} token is below ${chosen.below}%`);
  };

  /** The token above or below one, where lines are broken as they are. @param {number} at @param {1 | -1} way */
  const beside = (at, way) => {
    const here = text.els[at]?.getBoundingClientRect();
    if (!here) return at;
    let best = -1, line = NaN, least = Infinity;
    for (let i = at + way; text.els[i] && Math.abs(i - at) < LINE; i += way) {
      const it = /** @type {HTMLElement} */ (text.els[i]).getClientRects()[0];
      if (!it || Math.abs(it.top - here.top) < 4) continue;
      if (Number.isNaN(line)) line = it.top;
      if (Math.abs(it.top - line) > 4) break;
      const off = Math.abs(it.left - here.left);
      if (off < least) (least = off), (best = i);
    }
    return best < 0 ? at : best;
  };

  text.list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [from, to] = range(), at = text.at(event.target);
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowRight: () => choose(Math.min(at + 1, to - 1), true),
      ArrowLeft: () => choose(Math.max(at - 1, from), true),
      ArrowDown: () => choose(beside(at, 1), true),
      ArrowUp: () => choose(beside(at, -1), true),
      Home: () => choose(from, true),
      End: () => choose(to - 1, true),
      Enter: () => choose(at, true),
      " ": () => choose(at, true),
      n: () => jump(1),
      p: () => jump(-1),
    };
    if (at < 0 || !keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]?.();
  });
  text.list.addEventListener("click", ({ target }) => {
    const at = text.at(target);
    if (at >= 0 && getSelection()?.isCollapsed !== false) choose(at, true);
  });
  text.list.addEventListener("pointermove", ({ target, pointerType, movementX, movementY }) => {
    const moved = movementX || movementY; // not the text under a pointer that rests
    const at = moved && pointerType === "mouse" ? text.at(target) : -1;
    if (at < 0 || at === hovered) return;
    hovered = at;
    look();
  });
  text.list.addEventListener("pointerleave", () => { hovered = -1; look(); });
  text.list.addEventListener("scroll", () => {
    const { scrollHeight, scrollTop, clientHeight } = text.list;
    following = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  });
  slider.addEventListener("input", () => {
    chosen = { ...chosen, below: Number(slider.value) };
    tell();
    lane?.soon();
  });

  /** @param {number} only */
  const filter = (only) => {
    chosen = { ...chosen, step: only };
    const [from, to] = range();
    if (chosen.at < from || chosen.at >= to) chosen.at = -1;
    tell();
    lane?.soon();
  };

  const paintChips = () => {
    const wanted = Math.min(steps.length, MOST_CHIPS) + 1;
    if (steps.length < 2) return;
    row.style.display = "";
    while (chips.childElementCount < wanted) {
      const i = chips.childElementCount - 1;
      const chip = h("button", "agl-toggle", i < 0 ? "all" : String(steps[i]?.no ?? i + 1));
      chip.type = "button";
      chip.addEventListener("click", () => filter(i));
      chips.append(chip);
    }
    [...chips.children].forEach((chip, i) => {
      chip.ariaPressed = String(chosen.step === i - 1);
      const step = steps[i - 1];
      if (step?.did && chip instanceof HTMLElement) chip.title = step.did;
    });
  };

  /** The tokens that are underlined: those below the bound. */
  const paintDoubts = () => {
    const state = `${chosen.below}`;
    if (seen !== state) text.els.forEach((each, at) => each.classList.toggle("low", doubtful(all.ps[at], chosen.below)));
    seen = state;
    const [from, to] = range(), found = doubts(all.ps, chosen.below, from, to);
    slider.value = String(chosen.below);
    say(count, `${found.toLocaleString("en")} of ${(to - from).toLocaleString("en")} tokens below ${chosen.below}%`);
    for (const each of [before, after]) each.ariaDisabled = String(!found);
    chart.paint(all.ps, [from, to], chosen.below, steps.flatMap((step) => (step ? [step.first] : [])));
  };

  /** Take what was chosen on another page, or the kernel's word for what was chosen last on this one. */
  const hearOthers = () => {
    const told = /** @type {Chosen | null} */ (lane?.cell("chosen"));
    const now = JSON.stringify(told);
    if (!told || now === news) return false; // it may be older than what this page has chosen since
    news = now;
    if (timer || (told.by.startsWith(me) && told.by !== sent)) return false;
    const other = told.at !== chosen.at;
    chosen = told;
    return other;
  };

  const paint = () => {
    const title = /** @type {Title | null} */ (lane?.cell("title")), now = /** @type {Heard | null} */ (lane?.cell("now"));
    if (!lane || !title || !now) return;
    parts.paint(title);
    root = now.root;
    say(asked, now.asked);
    if (now.asked) goal.style.display = "";
    for (; pieces < now.pieces; pieces++) {
      const lot = /** @type {Tokens | null} */ (lane.cell(`t${pieces}`));
      if (!lot) break; // it comes with the next message, and none must be left out
      take(all, lot);
    }
    for (let i = 0; i < now.steps; i++) steps[i] = /** @type {Spoken | null} */ (lane.cell(`s${i}`));
    const other = hearOthers();
    const focused = text.at(document.activeElement);
    const whole = text.draw(steps, (at, each) => each.classList.toggle("low", doubtful(all.ps[at], chosen.below)));
    if (focused >= 0 && text.els[focused] !== document.activeElement) text.els[focused]?.focus({ preventScroll: true });
    text.note(now.empty);
    text.caret(now.live);
    text.show(chosen.step);
    paintChips();
    paintDoubts();
    select(chosen.at);
    look();
    const at = text.els[chosen.at];
    if (other && at) show(at);
    if (now.live && following) text.list.scrollTop = text.list.scrollHeight;
    if (!whole) lane.soon();
  };

  const lane = await follow(props, paint);
  return lane ? shown(el, parts, lane, paint, () => clearTimeout(timer)) : undefined;
}

export default { render };
