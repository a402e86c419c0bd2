// @ts-check
/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */
/** @typedef {{ text: string, x: number, y: number, anchor: "start" | "middle" | "end" }} Label */

const UP = 10, DOWN = 4; // of a line of text, from where it stands
const CELL = 40; // pixels: who lies where is looked up

/**
 * What is taken already, within a box.
 * @param {number} wide
 * @param {number} tall
 */
export function room(wide, tall) {
  /** @type {Map<number, Box[]>} */
  const cells = new Map();
  /** @param {Box} box @param {(key: number) => boolean | void} look */
  const over = ({ left, top, right, bottom }, look) => {
    for (let x = Math.floor(left / CELL); x <= Math.floor(right / CELL); x++) {
      for (let y = Math.floor(top / CELL); y <= Math.floor(bottom / CELL); y++) {
        if (look(x * 10_000 + y)) return true;
      }
    }
    return false;
  };
  return {
    /** @param {Box} box */
    take(box) {
      over(box, (key) => {
        const here = cells.get(key);
        if (here) here.push(box);
        else cells.set(key, [box]);
      });
    },
    /** @param {Box} box */
    free(box) {
      if (box.left < 0 || box.top < 0 || box.right > wide || box.bottom > tall) return false;
      return !over(box, (key) => (cells.get(key) ?? []).some((other) => meet(box, other)));
    },
  };
}

/** @param {Box} a @param {Box} b */
export const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * What a label covers.
 * @param {Label} label
 * @param {number} long
 * @returns {Box}
 */
export function covers({ x, y, anchor }, long) {
  const left = x - { start: 0, middle: long / 2, end: long }[anchor];
  return { left, top: y - UP, right: left + long, bottom: y + DOWN };
}

/**
 * The places that a label may have, the best first: as in the card.
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @returns {Label[]}
 */
export function beside(text, x, y, r) {
  const aslant = 0.7 * r + 3;
  return [
    { text, x, y: y + r + 12, anchor: "middle" },
    { text, x, y: y - r - 5, anchor: "middle" },
    { text, x: x + r + 4, y: y + 4, anchor: "start" },
    { text, x: x - r - 4, y: y + 4, anchor: "end" },
    { text, x: x + aslant, y: y + aslant + 7, anchor: "start" },
    { text, x: x - aslant, y: y + aslant + 7, anchor: "end" },
    { text, x: x + aslant, y: y - aslant, anchor: "start" },
    { text, x: x - aslant, y: y - aslant, anchor: "end" },
  ];
}

/** @typedef {{ no: number, text: string, x: number, y: number, r: number, must: boolean }} Named */
/** @typedef {{ no: number, text: string, ax: number, ay: number, bx: number, by: number }} Said */

/**
 * Find room for what nodes are called and then for what edges say; the first come first, no two
 * meet, and what must be named may stand on circles.
 * @param {Named[]} nodes
 * @param {Said[]} arcs
 * @param {Box[]} circles
 * @param {number} wide
 * @param {number} tall
 * @param {(text: string) => number} measure  how long a text is
 */
export function labelled(nodes, arcs, circles, wide, tall, measure) {
  const all = room(wide, tall), texts = room(wide, tall);
  circles.forEach(all.take);
  /** @type {(Label & { no: number, arc: boolean })[]} */
  const found = [];
  /** @param {Label} label @param {number} no @param {boolean} arc */
  const put = (label, no, arc) => {
    const box = covers(label, measure(label.text));
    all.take(box);
    texts.take(box);
    found.push({ ...label, no, arc });
  };
  for (const { no, text, x, y, r, must } of nodes) {
    const places = beside(text, x, y, r), long = measure(text);
    const at = places.find((label) => all.free(covers(label, long)))
      ?? (must ? places.find((label) => texts.free(covers(label, long))) : undefined);
    if (at) put(at, no, false);
  }
  for (const { no, text, ax, ay, bx, by } of arcs) {
    const long = measure(text);
    for (const t of [0.5, 0.36, 0.64, 0.24, 0.76]) {
      /** @type {Label} */
      const label = { text, x: ax + t * (bx - ax), y: ay + t * (by - ay) + 4, anchor: "middle" };
      if (!all.free(covers(label, long))) continue;
      put(label, no, true);
      break;
    }
  }
  return found;
}
