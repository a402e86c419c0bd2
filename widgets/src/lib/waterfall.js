// @ts-check
/** @import { Line } from "../messages.js" */

export const ROW_PX = 22;
export const MOST = 200; // rows that are asked for at once

/**
 * Which rows to have at hand: those in sight, and some before and after.
 * @param {number} top
 * @param {number} height
 * @param {number} total
 */
export function wanted(top, height, total, px = ROW_PX) {
  const sight = Math.ceil(height / px) + 1;
  const size = Math.min(MOST, 3 * sight, total);
  const start = Math.floor(Math.max(0, top) / px) - Math.max(0, Math.floor((size - sight) / 2));
  return { start: Math.max(0, Math.min(start, total - size)), size };
}

/**
 * Where to scroll so that a row is in sight; where it is already, nowhere.
 * @param {number} row
 * @param {number} top
 * @param {number} height
 */
export function reach(row, top, height, px = ROW_PX) {
  const from = row * px;
  if (from < top) return from;
  return from + px > top + height ? from + px - height : top;
}

/**
 * Where a bar is, in hundredths of the whole; what is not over reaches to its end.
 * @param {Pick<Line, "start" | "end">} line
 * @param {number} span
 */
export function bar({ start, end }, span) {
  const whole = span || 1;
  const left = Math.min(100, Math.max(0, (start / whole) * 100));
  const width = Math.max(0, ((end < 0 ? span : end) / whole) * 100 - left);
  return { left, width: Math.min(width, 100 - left) };
}

/**
 * Whether a span was under way, or was yet to come, when so many entries were heard.
 * @param {Pick<Line, "first" | "last">} line
 * @param {number} heard
 */
export function phase({ first, last }, heard) {
  if (first >= heard) return "later";
  return last < 0 || last >= heard ? "now" : "";
}

/**
 * How many entries a second are played: all of them in some four to twenty seconds.
 * @param {number} entries
 */
export function pace(entries) {
  return entries / Math.min(20, Math.max(4, entries / 25));
}

/**
 * A duration as people say it: the twin of `seconds` in Python.
 * @param {number} ms
 */
export function took(ms) {
  if (ms < 100) return ms > 0 && ms < 1 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${(ms / 60_000).toFixed(0)} min`;
  return ms < 172_800_000 ? `${(ms / 3_600_000).toFixed(0)} h` : `${(ms / 86_400_000).toFixed(0)} d`;
}

/**
 * Say the latest of many things, no more often than every `ms`.
 * @template T
 * @param {(what: T) => void} say
 * @param {number} ms
 */
export function teller(say, ms, clock = () => performance.now()) {
  let last = -Infinity, timer = 0;
  /** @type {T[]} */
  let next = [];
  const tell = () => {
    timer = 0;
    last = clock();
    next.splice(0).forEach(say);
  };
  return {
    /** @param {T} what */
    tell(what) {
      next = [what];
      if (!timer && clock() - last >= ms) tell();
      else timer ||= Number(setTimeout(tell, last + ms - clock()));
    },
    /** Say at once what waits. */
    flush() {
      clearTimeout(timer);
      if (timer) tell();
    },
    stop: () => clearTimeout(timer),
  };
}
