// @ts-check
/** @typedef {{ k: number, x: number, y: number }} View  how far in, and where the origin is */
/** @typedef {{ xs: ArrayLike<number>, ys: ArrayLike<number> }} Spots */

export const NEAREST = 0.5, FARTHEST = 60; // how far in one may go
const SIDE = 34, TOP = 26, BOTTOM = 30; // pixels left free
const SLANT = 0.5; // cosine: a neighbour is in a direction if it is within 60 degrees of it

/**
 * Places in the unit square as pixels of a box: what leaves room empty is drawn out, as in the card.
 * @param {Spots} spots
 * @param {number} wide
 * @param {number} tall
 */
export function based({ xs, ys }, wide, tall) {
  let high = 1, low = 0;
  for (let i = 0; i < ys.length; i++) {
    high = Math.min(high, ys[i] ?? 0);
    low = Math.max(low, ys[i] ?? 0);
  }
  const used = low - high, side = Math.min(SIDE, wide / 8);
  return {
    xs: Float64Array.from(xs, (x) => side + x * (wide - 2 * side)),
    ys: Float64Array.from(ys, (y) => TOP + (tall - TOP - BOTTOM) * (used > 1e-9 ? (y - high) / used : 0.5)),
  };
}

/**
 * Go in or out, so that what is at a point stays there.
 * @param {View} view
 * @param {number} by
 * @param {number} x
 * @param {number} y
 * @returns {View}
 */
export function zoomed(view, by, x, y) {
  const k = Math.min(FARTHEST, Math.max(NEAREST, view.k * by)), part = k / view.k;
  return { k, x: x - (x - view.x) * part, y: y - (y - view.y) * part };
}

/**
 * The view in which some of the places fill the box, no farther in than `most`.
 * @param {Spots} spots
 * @param {Iterable<number>} some
 * @param {number} wide
 * @param {number} tall
 * @returns {View}
 */
export function fitted({ xs, ys }, some, wide, tall, most = 5) {
  let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
  for (const i of some) {
    const x = xs[i] ?? 0, y = ys[i] ?? 0;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  if (left > right) return { k: 1, x: 0, y: 0 };
  const side = Math.min(60, wide / 6);
  const across = (wide - 2 * side) / (right - left || 1e-9), down = (tall - 2 * TOP - BOTTOM) / (bottom - top || 1e-9);
  const k = Math.min(most, Math.max(NEAREST, Math.min(across, down)));
  return { k, x: wide / 2 - (k * (left + right)) / 2, y: tall / 2 - (k * (top + bottom)) / 2 };
}

/**
 * Move no more than it takes for a point to be in sight.
 * @param {View} view
 * @param {number} x
 * @param {number} y
 * @param {number} wide
 * @param {number} tall
 * @returns {View}
 */
export function sighted(view, x, y, wide, tall) {
  const edge = Math.min(40, wide / 5, tall / 5), at = [view.k * x + view.x, view.k * y + view.y];
  const [dx, dy] = [wide, tall].map((size, axis) => {
    const here = at[axis] ?? 0;
    return Math.max(0, edge - here) + Math.min(0, size - edge - here);
  });
  return { k: view.k, x: view.x + (dx ?? 0), y: view.y + (dy ?? 0) };
}

/**
 * The node at a point, or -1: the one whose rim is nearest, if that is near.
 * @param {Spots} spots  on the screen
 * @param {ArrayLike<number>} sizes
 * @param {number} x
 * @param {number} y
 */
export function nodeAt({ xs, ys }, sizes, x, y, far = 6) {
  let best = -1, least = far;
  for (let i = 0; i < xs.length; i++) {
    const away = Math.hypot((xs[i] ?? 0) - x, (ys[i] ?? 0) - y) - (sizes[i] ?? 0);
    if (away < least) { least = away; best = i; }
  }
  return best;
}

/**
 * The edge at a point, or -1.
 * @param {Spots} spots  on the screen
 * @param {ArrayLike<number>} tails
 * @param {ArrayLike<number>} heads
 * @param {number} x
 * @param {number} y
 */
export function arcAt({ xs, ys }, tails, heads, x, y, far = 5) {
  let best = -1, least = far;
  for (let e = 0; e < tails.length; e++) {
    const i = tails[e] ?? 0, j = heads[e] ?? 0;
    const ax = xs[i] ?? 0, ay = ys[i] ?? 0, dx = (xs[j] ?? 0) - ax, dy = (ys[j] ?? 0) - ay;
    const long = dx * dx + dy * dy;
    const t = long ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / long)) : 0;
    const away = Math.hypot(ax + t * dx - x, ay + t * dy - y);
    if (away < least) { least = away; best = e; }
  }
  return best;
}

/**
 * For each node those that an edge joins it to, each once, itself never.
 * @param {number} count
 * @param {ArrayLike<number>} tails
 * @param {ArrayLike<number>} heads
 * @returns {Set<number>[]}
 */
export function joined(count, tails, heads) {
  const near = Array.from({ length: count }, () => /** @type {Set<number>} */ (new Set()));
  for (let e = 0; e < tails.length; e++) {
    const i = tails[e] ?? 0, j = heads[e] ?? 0;
    if (i === j) continue;
    near[i]?.add(j);
    near[j]?.add(i);
  }
  return near;
}

/**
 * Where one comes to who walks from a node in a direction along an edge: the neighbour that lies
 * best that way, or -1. What is near counts for more than what is straight ahead.
 * @param {Spots} spots
 * @param {Iterable<number>} near
 * @param {number} from
 * @param {number} dx
 * @param {number} dy
 */
export function walk({ xs, ys }, near, from, dx, dy) {
  let best = -1, most = 0;
  for (const i of near) {
    const x = (xs[i] ?? 0) - (xs[from] ?? 0), y = (ys[i] ?? 0) - (ys[from] ?? 0), far = Math.hypot(x, y);
    const ahead = far ? (x * dx + y * dy) / far : 0;
    if (ahead < SLANT) continue;
    const worth = (ahead * ahead) / (1 + far / 200);
    if (worth > most) { most = worth; best = i; }
  }
  return best;
}
