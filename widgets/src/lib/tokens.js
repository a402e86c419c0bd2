// @ts-check
/** @import { Spoken, Tokens } from "../messages.js" */

/** All tokens that the page has; `ps` are probabilities, -1 where one is not known. */
/** @typedef {{ texts: string[], logs: number[], ps: number[], others: string[][], likely: number[][], told: boolean[] }} Book */
/** @typedef {{ text: string, log: number, said: boolean }} Other */

const LEVELS = [0.05, 0.2, 0.5, 0.9]; // as on the card
export const SURE = LEVELS.length;

/** @returns {Book} */
export const book = () => ({ texts: [], logs: [], ps: [], others: [], likely: [], told: [] });

/**
 * Take more tokens.
 * @param {Book} all
 * @param {Tokens} lot
 */
export function take(all, { texts, logs, others, likely, told }) {
  all.texts.push(...texts);
  all.logs.push(...logs);
  all.ps.push(...logs.map((log) => (log > 0 ? -1 : Math.exp(log))));
  all.others.push(...others);
  all.likely.push(...likely);
  all.told.push(...told);
}

/**
 * How a token is shaded: the fewer, the more.
 * @param {number} p
 */
export const level = (p) => (p < 0 ? SURE : LEVELS.filter((bound) => bound <= p).length);

/**
 * Whether a token is doubtful.
 * @param {number | undefined} p
 * @param {number} below  in percent
 */
export const doubtful = (p, below) => p !== undefined && p >= 0 && p < below / 100;

/**
 * How many of some tokens are doubtful.
 * @param {number[]} ps
 * @param {number} below
 * @param {number} from
 * @param {number} to
 */
export function doubts(ps, below, from, to) {
  let found = 0;
  for (let i = from; i < to; i++) if (doubtful(ps[i], below)) found++;
  return found;
}

/**
 * The next doubtful token in a direction, or -1.
 * @param {number[]} ps
 * @param {number} at
 * @param {1 | -1} way
 * @param {number} below
 * @param {number} from
 * @param {number} to
 */
export function seek(ps, at, way, below, from, to) {
  for (let i = at + way; i >= from && i < to; i += way) if (doubtful(ps[i], below)) return i;
  return -1;
}

/**
 * A token in one line, all of it seen: from the text as it is drawn.
 * @param {string} text
 */
export const spelled = (text) => text.replaceAll("↵\n", "↵").replaceAll("⇥\t", "⇥").replaceAll(" ", "␣") || "∅";

/**
 * A log-probability as a probability, as Python writes it.
 * @param {number} log
 */
export function percent(log) {
  const p = Math.exp(Math.min(log, 0));
  if (p === 1 || (p >= 0.1 && p < 0.995)) return `${Math.round(100 * p)}%`;
  return p > 0.5 ? ">99%" : p < 0.001 ? "<0.1%" : `${(100 * p).toFixed(1)}%`;
}

/**
 * A log-probability, as Python writes it.
 * @param {number} log
 */
export function decimal(log) {
  const text = Math.abs(log).toFixed(2);
  return log < 0 && text !== "0.00" ? `−${text}` : text;
}

/**
 * What was said and what might have been, the likeliest first, and how likely all else was.
 * @param {Book} all
 * @param {number} at
 * @returns {{ rows: Other[], rest: number }}
 */
export function choices(all, at) {
  const likely = all.likely[at] ?? [], log = all.logs[at] ?? 1;
  const rows = (all.others[at] ?? []).map((text, i) => ({ text, log: likely[i] ?? 0, said: false }));
  const before = rows.findIndex((row) => row.log < log);
  const said = { text: spelled(all.texts[at] ?? ""), log, said: true };
  rows.splice(log > 0 || before < 0 ? (log > 0 ? 0 : rows.length) : before, 0, said);
  const known = rows.reduce((sum, row) => sum + (row.log > 0 ? 0 : Math.exp(row.log)), 0);
  return { rows, rest: Math.max(0, 1 - known) };
}

/**
 * Stretches of tokens, all equally long: the least likely token of each, and how likely they were
 * in the mean, or -1.
 * @param {number[]} ps
 * @param {number} from
 * @param {number} to
 * @param {number} most
 * @returns {{ at: number, mean: number }[]}
 */
export function stretches(ps, from, to, most) {
  const count = Math.min(most, to - from), size = (to - from) / count;
  return Array.from({ length: count }, (_, i) => {
    const start = from + Math.floor(i * size), end = from + Math.floor((i + 1) * size);
    let found = start, sum = 0, known = 0;
    for (let at = start; at < end; at++) {
      const p = ps[at] ?? -1, least = ps[found] ?? -1;
      if (p < 0) continue;
      sum += p;
      known++;
      if (least < 0 || p < least) found = at;
    }
    return { at: found, mean: known ? sum / known : -1 };
  });
}

/**
 * Where a step begins and ends.
 * @param {(Spoken | null)[]} steps
 * @param {number} i  -1 is all of them
 * @param {number} all
 * @returns {[number, number]}
 */
export function within(steps, i, all) {
  const step = i < 0 ? null : steps[i];
  return step ? [step.first, steps[i + 1]?.first ?? all] : [0, all];
}

/**
 * The part of a step that a token is in.
 * @param {number[]} starts
 * @param {number} at
 */
export const part = (starts, at) => Math.max(0, starts.findLastIndex((start) => start <= at));
