// @ts-check
import { nextOf, wrongWith } from "./answers.js";
import { h, say } from "./dom.js";
import { button } from "./frame.js";

/** @import { Question } from "../messages.js" */
/** @import { Kernel } from "./frame.js" */
/** @typedef {"ask" | "edit" | "refuse"} Mode */

/**
 * One call that waits: what it would do, and three answers.
 * @param {number} no
 * @param {Question} asked
 * @param {Kernel | null} kernel  who takes the answer, if somebody does
 */
function question(no, asked, kernel) {
  const args = h("pre", "agl-pre", asked.args);
  const text = h("textarea", "agl-input agl-edit");
  const reason = h("input", "agl-input agl-reason");
  const wrong = h("p", "agl-wrong"), row = h("div", "agl-row"), body = h("div", "", args);
  const what = h("p", "", h("b", "", asked.agent), " asks to call ", h("code", "agl-call", asked.tool));
  const li = h("li", "agl-ask", what, body, ...(asked.fixed ? [h("p", "agl-small", asked.fixed)] : []), wrong, row);
  li.title = "handle.pending()";
  args.tabIndex = 0;
  args.setAttribute("aria-label", `arguments of ${asked.tool}`);
  text.setAttribute("aria-label", `arguments of ${asked.tool}, as JSON`);
  text.spellcheck = false;
  text.value = asked.args;
  text.rows = Math.min(14, asked.args.split("\n").length + 1);
  reason.setAttribute("aria-label", "why not, for the model");
  reason.placeholder = "why not? the model reads it";
  wrong.id = `agl-wrong-${Math.random().toString(36).slice(2)}`;
  wrong.setAttribute("role", "alert");
  for (const field of [text, reason]) field.setAttribute("aria-describedby", wrong.id);

  let sent = false, { tries } = asked;
  /** @type {Mode} */
  let mode = "ask";
  /** @param {string} why */
  const complain = (why) => {
    say(wrong, why);
    text.ariaInvalid = String(Boolean(why) && mode === "edit");
  };
  /** @param {object} answer */
  const send = (answer) => {
    if (sent || !kernel) return;
    sent = true;
    complain("");
    li.ariaBusy = "true";
    for (const each of row.querySelectorAll("button")) each.ariaDisabled = "true"; // not `disabled`: that would lose the focus
    kernel.send({ type: "answer", no, ...answer });
  };
  const sendEdit = () => {
    const why = wrongWith(text.value);
    if (!why) return send({ answer: "edit", args: text.value });
    complain(why);
    text.focus();
  };
  const refuse = () => send({ answer: "refuse", reason: reason.value });

  const buttons = {
    approve: button("Approve", "let it be called as it is", () => send({ answer: "approve" })),
    edit: button("Edit", "let it be called with other arguments", () => turn("edit", text)),
    refuse: button("Refuse", "do not let it be called", () => turn("refuse", reason)),
    change: button("Call with these", "let it be called with these arguments (Ctrl+Enter)", sendEdit),
    deny: button("Refuse", "do not let it be called, and tell the model why (Enter)", refuse),
    back: button("Back", "decide anew (Escape)", () => turn("ask", mode === "edit" ? buttons.edit : buttons.refuse)),
  };
  for (const go of [buttons.approve, buttons.change]) go.classList.add("go");
  for (const no of [buttons.refuse, buttons.deny]) no.classList.add("stop");

  /** @param {Mode} to @param {HTMLElement} [focus] */
  const turn = (to, focus) => {
    if (sent) return;
    mode = to;
    complain("");
    body.replaceChildren(to === "edit" ? text : args);
    const { approve, edit, refuse, change, deny, back } = buttons;
    if (!kernel) row.replaceChildren(h("code", "agl-code", "handle.answer(handle.pending()[0].call_id, True)"));
    else if (to === "ask") row.replaceChildren(approve, ...(asked.fixed ? [] : [edit]), refuse);
    else row.replaceChildren(...(to === "edit" ? [change, back] : [reason, deny, back]));
    focus?.focus();
  };
  li.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.isComposing) return;
    if (key === "Escape" && mode !== "ask") turn("ask", mode === "edit" ? buttons.edit : buttons.refuse);
    else if (key === "Enter" && target === reason) refuse();
    else if (key === "Enter" && target === text && (event.ctrlKey || event.metaKey)) sendEdit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  text.addEventListener("input", () => { if (wrong.textContent) complain(wrongWith(text.value)); });
  turn("ask");

  return {
    li,
    focus: () => ({ ask: buttons.approve, edit: text, refuse: reason })[mode].focus(),
    /** @param {Question} news  what was wrong with the answer */
    paint(news) {
      if (news.tries === tries) return;
      ({ tries } = news);
      sent = false;
      li.ariaBusy = "false";
      for (const each of row.querySelectorAll("button")) each.ariaDisabled = null;
      complain(news.wrong);
    },
  };
}

/**
 * All calls that wait for the reader.
 * @param {Kernel | null} kernel
 * @param {HTMLElement} after  has the focus when the last of them is answered
 */
export function approvals(kernel, after) {
  const el = h("ul", "agl-asks");
  el.setAttribute("aria-label", "calls that wait for your answer");
  /** @type {Map<number, ReturnType<typeof question>>} */
  const open = new Map();
  /** @param {(name: string) => unknown} cell */
  const paint = (cell) => {
    const now = /** @type {number[]} */ (cell("asks") ?? []), before = [...open.keys()];
    let lost = 0;
    for (const [no, { li }] of open) {
      if (now.includes(no)) continue;
      if (li.contains(li.ownerDocument.activeElement)) lost = no;
      li.remove();
      open.delete(no);
    }
    for (const no of now) {
      const asked = /** @type {Question | null} */ (cell(`q${no}`));
      if (!asked) continue;
      const there = open.get(no) ?? question(no, asked, kernel);
      if (!open.has(no)) open.set(no, there), el.append(there.li);
      there.paint(asked);
    }
    if (lost) (open.get(nextOf(before, now, lost)) ?? after).focus();
  };
  return { el, paint };
}
