// @ts-check
import sheet from "../../../agentlab/display/agentlab.css";
import { h, say } from "./dom.js";

/** @import { Title } from "../messages.js" */

const SPEAK_MS = 1000; // a screen reader is told no more often

/**
 * A card with our sheet, which keeps its keys to itself: they are for what has the focus.
 * @param {...(Node | string)} inside
 */
export function section(...inside) {
  const card = h("section", "agl agl-live mathjax_ignore tex2jax_ignore", h("style", "", sheet), ...inside);
  card.dataset.lmSuppressShortcuts = "true";
  card.addEventListener("focusin", ({ target }) => { // JupyterLab looks no further than at what has the focus
    if (target instanceof HTMLElement) target.dataset.lmSuppressShortcuts = "true";
  });
  return card;
}

/**
 * The frame of all explorers: a header line with what can be done, and what is under it.
 * @param {...HTMLElement} acts  buttons
 */
export function frame(...acts) {
  const kind = h("span", "agl-kind"), name = h("b", "agl-name"), chip = h("span", "agl-chip"), meta = h("span", "agl-meta");
  const end = h("span", "agl-end", meta, " ", h("span", "agl-acts", ...acts)); // they wrap together
  const head = h("header", "agl-head", kind, " ", name, " ", chip, " ", end);
  const body = h("div", "agl-card", head);
  const voice = speaker();
  /** @param {Title} title */
  const paint = (title) => {
    if (chip.textContent !== title.word) voice.say(title.word); // once, for there is more to say
    say(kind, title.kind);
    say(name, title.name);
    say(chip, title.word);
    say(meta, title.figures.join(" · "));
    name.title = title.path;
    chip.className = `agl-chip ${title.hue}`.trim();
    chip.hidden = !title.word;
  };
  return { card: section(body, voice.region), body, paint, say: voice.say, leave: voice.leave };
}

/**
 * Show a card, as long as its page wants; what is returned takes it away again.
 * @param {HTMLElement} el
 * @param {ReturnType<typeof frame>} parts
 * @param {{ leave(): void }} lane
 * @param {() => void} paint
 * @param {...() => void} undo
 */
export function shown(el, parts, lane, paint, ...undo) {
  el.append(parts.card);
  paint();
  return () => {
    for (const each of [...undo, lane.leave, parts.leave]) each();
    parts.card.remove();
  };
}

/**
 * A button that says what it does.
 * @param {string} text
 * @param {string} title
 * @param {() => void} act
 */
export function button(text, title, act) {
  const made = h("button", "agl-btn", text);
  made.type = "button";
  made.title = title;
  made.addEventListener("click", act);
  return made;
}

/**
 * A button that copies a Python path.
 * @param {HTMLElement} path  what says it
 */
export function copier(path) {
  const made = button("Copy", "copy the Python path", async () => {
    const done = await navigator.clipboard?.writeText(path.textContent ?? "").then(() => true, () => false);
    if (!done) getSelection()?.selectAllChildren(path);
    say(made, done ? "Copied" : "Press Ctrl+C");
  });
  return made;
}

/** @typedef {{ send(message: object): void }} Kernel */

/** @param {Kernel} kernel  who closes */
export const closer = (kernel) => button("Close", "leave the card, and nothing else", () => kernel.send({ type: "close" }));

/**
 * A button that stops a run, once.
 * @param {Kernel} kernel  who stops it
 */
export function stopper(kernel) {
  const made = button("Stop", "end the run here, and keep what there is", () => {
    if (made.ariaDisabled) return;
    made.ariaDisabled = "true"; // not `disabled`: that would lose the focus
    say(made, "Stopping…");
    kernel.send({ type: "stop" });
  });
  made.classList.add("stop");
  return made;
}

/** A region that a screen reader reads out: the last of what is said, and not too often. */
export function speaker() {
  const region = h("p", "agl-spoken");
  region.setAttribute("aria-live", "polite");
  let spokenAt = -SPEAK_MS, timer = 0, next = "";
  const speak = () => {
    timer = 0;
    if (region.textContent !== next) spokenAt = performance.now();
    say(region, next);
  };
  return {
    region,
    /** @param {string} text */
    say(text) {
      next = text;
      timer ||= window.setTimeout(speak, Math.max(0, spokenAt + SPEAK_MS - performance.now()));
    },
    leave: () => clearTimeout(timer),
  };
}
