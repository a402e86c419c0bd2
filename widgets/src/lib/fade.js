// @ts-check
/** @import { Clock } from "../messages.js" */
/** @typedef {{ x: number, y: number, wide: number, tall: number }} Box  by its middle */

const LETTER_PX = 6.8, SQUARE_PX = 11.5, LINE_PX = 15;
const SQUARE = "\u2e80"; // from here on letters are as wide as they are high

/**
 * What is left of an item some hours ahead: the twin of what Python works out.
 * @param {number} worth
 * @param {number} age
 * @param {number} ahead
 * @param {Pick<Clock, "tau">} clock
 */
export function left(worth, age, ahead, { tau }) {
  return tau ? worth * Math.exp(-Math.max(0, age + ahead) / tau) : worth;
}

/**
 * Whether it will have been forgotten.
 * @param {number} worth
 * @param {number} age
 * @param {number} ahead
 * @param {Pick<Clock, "tau" | "limit" | "floor" | "forgets">} clock
 */
export function gone(worth, age, ahead, clock) {
  if (clock.limit && age + ahead > clock.limit) return true;
  return clock.forgets && left(worth, age, ahead, clock) < clock.floor;
}

/**
 * The room that a text takes.
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @returns {Box}
 */
export function box(text, x, y) {
  const wide = [...text].reduce((sum, letter) => sum + (letter < SQUARE ? LETTER_PX : SQUARE_PX), 8);
  return { x, y, wide, tall: LINE_PX };
}

/**
 * Whether two boxes lie over each other.
 * @param {Box} one
 * @param {Box} other
 */
export function meet(one, other) {
  return Math.abs(one.x - other.x) * 2 < one.wide + other.wide && Math.abs(one.y - other.y) * 2 < one.tall + other.tall;
}

/**
 * Where labels can be written so that none lies over another, the first ones first; those that have no room are left out.
 * @param {{ text: string, x: number, y: number }[]} labels
 * @param {number} wide
 * @param {number} tall
 * @param {Box[]} taken
 */
export function placed(labels, wide, tall, taken = []) {
  const there = [...taken], found = [];
  for (const { text, x, y } of labels) {
    for (const [dx, dy] of [[0, 0], [0, -1], [0, 1], [0, -2], [0, 2], [-1, 0], [1, 0], [-1, -2], [1, 2]]) {
      const made = box(text, x, y + (dy ?? 0) * LINE_PX);
      made.x += (dx ?? 0) * made.wide * 0.7;
      made.x = Math.min(Math.max(made.x, made.wide / 2), wide - made.wide / 2);
      made.y = Math.min(Math.max(made.y, LINE_PX / 2), tall - LINE_PX / 2);
      if (made.wide > wide || there.some((other) => meet(made, other))) continue;
      there.push(made);
      found.push({ text, x: made.x, y: made.y });
      break;
    }
  }
  return found;
}

/**
 * The dot that is nearest to a point, or -1 where none is near.
 * @param {number[]} xs
 * @param {number[]} ys
 * @param {number} x
 * @param {number} y
 * @param {number} within
 * @param {(no: number) => boolean} there
 */
export function nearest(xs, ys, x, y, within, there) {
  let best = -1, least = within * within;
  for (let no = 0; no < xs.length; no++) {
    const dx = (xs[no] ?? 0) - x, dy = (ys[no] ?? 0) - y, far = dx * dx + dy * dy;
    if (far <= least && there(no)) { best = no; least = far; }
  }
  return best;
}

/**
 * The dot that one comes to by going some way from another: the nearest that lies more that way than aside.
 * @param {number[]} xs
 * @param {number[]} ys
 * @param {number} from
 * @param {number} dx
 * @param {number} dy
 * @param {(no: number) => boolean} there
 */
export function toward(xs, ys, from, dx, dy, there) {
  const x = xs[from] ?? 0, y = ys[from] ?? 0;
  let best = -1, least = Infinity;
  for (let no = 0; no < xs.length; no++) {
    const along = ((xs[no] ?? 0) - x) * dx + ((ys[no] ?? 0) - y) * dy;
    const aside = Math.abs(((xs[no] ?? 0) - x) * dy) + Math.abs(((ys[no] ?? 0) - y) * dx);
    if (no === from || along <= 0 || aside > along || !there(no)) continue;
    if (along + 2 * aside < least) { best = no; least = along + 2 * aside; }
  }
  return best;
}
