import assert from "node:assert/strict";
import { test } from "node:test";
import { covers, labelled, meet } from "../src/lib/places.js";

/** @param {string} text */
const measure = (text) => 6 * text.length;
/** A generator of numbers from 0 to 1, the same each time. @param {number} seed */
const odds = (seed) => () => (seed = (seed * 16807) % 2147483647) / 2147483647;

test("no two labels meet, none leaves the picture, and none that need not stands on a circle", () => {
  const next = odds(7), wide = 700, tall = 430;
  for (let round = 0; round < 20; round++) {
    const nodes = Array.from({ length: 200 }, (_, no) => ({ no, text: `name ${no}`, x: next() * wide, y: next() * tall, r: 3 + 8 * next(), must: no < 3 }));
    const arcs = Array.from({ length: 60 }, (_, no) => {
      const a = nodes[Math.floor(next() * 200)], b = nodes[Math.floor(next() * 200)];
      return { no, text: "flows into", ax: Number(a?.x), ay: Number(a?.y), bx: Number(b?.x), by: Number(b?.y) };
    });
    const circles = nodes.map(({ x, y, r }) => ({ left: x - r, top: y - r, right: x + r, bottom: y + r }));
    const found = labelled(nodes, arcs, circles, wide, tall, measure);
    const boxes = found.map((each) => covers(each, measure(each.text)));
    assert.ok(found.length > 20);
    boxes.forEach((box, i) => {
      assert.ok(box.left >= 0 && box.top >= 0 && box.right <= wide && box.bottom <= tall);
      for (let j = 0; j < i; j++) assert.ok(!meet(box, /** @type {any} */ (boxes[j])));
      const must = !found[i]?.arc && Number(found[i]?.no) < 3;
      if (!must) assert.ok(!circles.some((circle) => meet(box, circle)));
    });
  }
});

test("what must be named is, in the thick of it; the first come first", () => {
  const crowd = Array.from({ length: 99 }, (_, i) => ({ left: 0, top: i * 4, right: 400, bottom: i * 4 + 4 }));
  const one = { text: "here", x: 200, y: 200, r: 4 };
  assert.deepEqual(labelled([{ no: 0, ...one, must: false }], [], crowd, 400, 400, measure), []);
  assert.equal(labelled([{ no: 0, ...one, must: true }], [], crowd, 400, 400, measure).length, 1);
  const places = labelled([{ no: 5, ...one, must: false }, { no: 6, ...one, must: false }], [], [], 400, 400, measure);
  assert.deepEqual(places.map(({ no }) => no), [5, 6]);
  assert.equal(places[0]?.y, 216);
});

test("what an edge says gives way to names, and moves along the edge for it", () => {
  const arc = { no: 1, text: "part of", ax: 0, ay: 100, bx: 400, by: 100 };
  const middle = { left: 170, top: 80, right: 230, bottom: 120 };
  assert.equal(labelled([], [arc], [], 400, 200, measure)[0]?.x, 200);
  assert.equal(labelled([], [arc], [middle], 400, 200, measure)[0]?.x, 144);
  const all = { left: 0, top: 80, right: 400, bottom: 120 };
  assert.deepEqual(labelled([], [arc], [all], 400, 200, measure), []);
});
