// @ts-check
import { h, say } from "./dom.js";
import { SURE, level, percent, spelled } from "./tokens.js";

/** @import { Spoken } from "../messages.js" */
/** @import { Book } from "./tokens.js" */

const AT_ONCE = 1500; // tokens that are drawn in a frame
const LINES = 60, LONG = 600; // tokens of a paragraph, where a line ends and where none does

/**
 * One step: its line, and its sections with their tokens.
 * @param {Spoken} step
 */
function block(step) {
  const no = h("span", "agl-no", String(step.no)), did = h("span", "agl-call"), arrow = h("span", "agl-arrow", " → "), came = h("span", "agl-result");
  const filled = h("i"), right = h("span"), bar = h("span", "agl-bar", filled);
  const line = h("div", "agl-round agl-said", no, h("span", "agl-line1", did, arrow, came), h("span", "agl-ms", bar, right));
  line.ariaHidden = "true"; // the group below has its name from it
  const body = h("div", "agl-body");
  const el = h("div", "agl-spell", line, body);
  el.role = "group";
  /** @type {{ label: HTMLElement, pre: HTMLElement, para: HTMLElement, count: number, start: number }[]} */
  const parts = [];
  /** @param {Spoken} news */
  const paint = (news) => {
    say(did, news.did);
    say(came, news.came);
    say(right, news.right);
    arrow.hidden = !news.came;
    bar.style.display = news.sure < 0 ? "none" : "";
    filled.style.width = `${Math.round(100 * news.sure)}%`;
    came.className = news.bad ? "agl-result bad" : "agl-result";
    line.title = news.path;
    el.ariaLabel = `step ${news.no}${news.did ? `: ${news.did}` : ""}`;
  };
  /** @param {number} from  the first section that is drawn anew */
  const cut = (from) => {
    for (const { label, pre } of parts.splice(from)) label.remove(), pre.remove();
  };
  /**
   * Open a section.
   * @param {Spoken} news
   */
  const open = (news) => {
    const i = parts.length, hue = news.hues[i] ?? "", label = h("span", `agl-label ${hue}`.trim(), news.names[i] ?? "");
    const para = h("span", "agl-para agl-toks"), pre = h("pre", "agl-pre", para);
    label.ariaHidden = "true";
    pre.role = "none";
    para.role = "none";
    body.append(label, pre);
    parts.push({ label, pre, para, count: 0, start: news.starts[i] ?? 0 });
  };
  return { el, parts, paint, cut, open };
}

/**
 * The text of all tokens, by steps, a listbox in which each token is an option; drawn in pieces.
 * @param {Book} all
 */
export function words(all) {
  const list = h("div", "agl-heard"), empty = h("p", "agl-note"), caret = h("span", "agl-caret");
  list.role = "listbox";
  list.ariaLabel = "tokens, each shaded by how unlikely it was";
  /** @type {HTMLElement[]} */
  const els = [];
  /** @type {WeakMap<Element, number>} */
  const places = new WeakMap();
  /** @type {ReturnType<typeof block>[]} */
  const blocks = [];
  let drawn = 0, step = 0;

  /** @param {number} at */
  const token = (at) => {
    const p = all.ps[at] ?? -1, shade = level(p);
    const el = h("span", shade === SURE ? "agl-tok" : `agl-tok p${shade}`, all.texts[at] || "∅");
    el.role = "option";
    el.tabIndex = -1;
    el.ariaSelected = "false";
    places.set(el, at);
    return el;
  };

  /**
   * Draw what is there, or as much of it as a frame has time for; false where that is not all.
   * @param {(Spoken | null)[]} steps
   * @param {(at: number, el: HTMLElement) => void} ready  what a new element still needs
   */
  const draw = (steps, ready) => {
    steps.forEach((news, i) => {
      const made = blocks[i];
      if (!news || !made) return;
      made.paint(news);
      const { parts } = made, wrong = parts.findIndex(({ start, label }, k) => start !== news.starts[k] || label.textContent !== news.names[k]);
      if (wrong < 0 && !(parts.length && (news.starts[parts.length] ?? Infinity) < drawn)) return;
      const from = wrong < 0 ? parts.length - 1 : Math.max(0, wrong - 1);
      drawn = Math.min(drawn, parts[from]?.start ?? news.first);
      made.cut(from);
      step = Math.min(step, i);
    });
    const end = Math.min(all.texts.length, drawn + AT_ONCE);
    for (; drawn < end; drawn++) {
      while ((steps[step + 1]?.first ?? Infinity) <= drawn) step++;
      const news = steps[step];
      if (!news) return true; // its cell comes with the next message
      let made = blocks[step];
      if (!made) {
        made = blocks[step] = block(news);
        made.paint(news);
        list.insertBefore(made.el, blocks[step + 1]?.el ?? null);
      }
      const { parts } = made;
      while (!parts.length || (news.starts[parts.length] ?? Infinity) <= drawn) made.open(news);
      const part = /** @type {(typeof parts)[0]} */ (parts.at(-1));
      const el = (els[drawn] ??= token(drawn));
      const text = all.texts[drawn] ?? "";
      say(el, (part.start === drawn ? text.replace(/^↵\n/, "↵") : text) || "∅");
      part.para.append(el);
      ready(drawn, el);
      if (++part.count < LINES || (part.count < LONG && !text.endsWith("\n"))) continue;
      part.para = part.pre.appendChild(h("span", "agl-para agl-toks"));
      part.para.role = "none";
      part.count = 0;
    }
    return drawn === all.texts.length;
  };

  return {
    list,
    els,
    draw,
    /** How many are drawn. */
    drawn: () => drawn,
    /** @param {EventTarget | null} target */
    at: (target) => (target instanceof Element ? places.get(target) ?? -1 : -1),
    /** @param {number} only  the step that is shown, or -1 */
    show: (only) => blocks.forEach(({ el }, i) => { el.style.display = only < 0 || i === only ? "" : "none"; }),
    /** @param {string} text */
    note(text) {
      say(empty, text);
      if (text && !empty.parentNode) list.append(empty);
      if (!text) empty.remove();
    },
    /** @param {boolean} live */
    caret(live) {
      const last = live ? blocks.at(-1)?.parts.at(-1)?.para : null;
      if (!last) caret.remove();
      else if (last.lastChild !== caret) last.append(caret);
    },
    /**
     * A token as it is told to who cannot see its hue.
     * @param {number} at
     */
    said: (at) => `${spelled(all.texts[at] ?? "")}, ${(all.ps[at] ?? -1) < 0 ? "probability not told" : percent(all.logs[at] ?? 0)}`,
  };
}
