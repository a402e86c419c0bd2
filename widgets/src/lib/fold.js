// @ts-check
/** @import { Now } from "../messages.js" */

/**
 * What is being said, as far as the page has it: the answer it belongs to, how many whole pieces
 * of it are drawn, whether the next one begins a line, and how many are within the line there is.
 * @typedef {{ turn: number, taken: number, fresh: boolean, within: number }} Told
 */
/** @typedef {{ hue: string, text: string }} Span */

/** @type {Told} */
export const NOTHING = { turn: -1, taken: 0, fresh: true, within: 0 };

/**
 * Which pieces are still to be drawn, and whether all that is drawn belongs to an answer before.
 * @param {Told} told
 * @param {Pick<Now, "turn" | "pieces">} now
 * @returns {{ anew: boolean, from: number, to: number }}
 */
export function due({ turn, taken }, now) {
  const anew = turn !== now.turn;
  return { anew, from: anew ? 0 : taken, to: now.pieces };
}

/**
 * What is told after one more piece.
 * @param {Told} told
 * @param {string} piece
 * @returns {Told}
 */
export function tell({ turn, taken, within }, piece) {
  return { turn, taken: taken + 1, fresh: piece.endsWith("\n"), within: within + 1 };
}

const LABEL = /(?<=^|\n)[^\S\n]*[*#]*(thought|action|observation)(?: input)?[*]*:/gi;
/** @type {Record<string, string>} */
const HUES = { thought: "thought", action: "tool", observation: "seen" };

/**
 * What is being said, with the words that mean something set apart where they begin a line.
 * @param {string} text
 * @param {boolean} fresh  whether it begins a line itself
 * @returns {Span[]}
 */
export function spans(text, fresh = true) {
  const parts = [];
  let from = 0;
  for (const { 0: label, 1: word = "", index } of text.matchAll(LABEL)) {
    if (index === 0 && !fresh) continue;
    parts.push({ hue: "", text: text.slice(from, index) });
    parts.push({ hue: HUES[word.toLowerCase()] ?? "", text: label });
    from = index + label.length;
  }
  parts.push({ hue: "", text: text.slice(from) });
  return parts.filter((part) => part.text);
}

/**
 * Which of many rows are shown: those whose cells the kernel still keeps.
 * @param {number} count
 * @param {(index: number) => boolean} there
 * @returns {{ rows: number[], after: number }}  and after which one something is left out
 */
export function shown(count, there) {
  const rows = [];
  let after = -1;
  for (let i = 0; i < count; i++) {
    if (there(i)) rows.push(i);
    else if (after < 0) after = i - 1;
  }
  return { rows, after };
}

/**
 * A duration as people say it while it grows; like `seconds` in Python from the first second on.
 * @param {number} ms
 */
export function seconds(ms) {
  if (ms < 60_000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

/**
 * How much the clock of the page is ahead of the kernel's: what is told comes late, never early.
 * @param {number} known
 * @param {number} here
 * @param {number} there
 */
export function ahead(known, here, there) {
  return Math.min(known, here - there);
}
