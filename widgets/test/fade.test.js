import assert from "node:assert/strict";
import { test } from "node:test";
import { box, gone, left, meet, nearest, placed, toward } from "../src/lib/fade.js";

const day = 24;

test("what is left follows the curve, and what is yet to come is whole", () => {
  assert.equal(left(0.8, 0, 0, { tau: day }), 0.8);
  assert.ok(Math.abs(left(0.8, day, day, { tau: day }) - 0.8 * Math.exp(-2)) < 1e-12);
  assert.equal(left(0.8, -5, 0, { tau: day }), 0.8);
  assert.equal(left(0.8, 1e6, 0, { tau: 0 }), 0.8);
});

test("an item is gone beyond its age, or below the floor where that is a rule", () => {
  const none = { tau: 0, limit: 0, floor: 0, forgets: false };
  assert.ok(!gone(0.5, 1e6, 0, none));
  assert.ok(!gone(0.5, 10, 10, { ...none, limit: 20 }));
  assert.ok(gone(0.5, 10, 10.1, { ...none, limit: 20 }));
  assert.ok(gone(0.5, 3 * day, 0, { ...none, tau: day, floor: 0.1, forgets: true }));
  assert.ok(!gone(0.5, 3 * day, 0, { ...none, tau: day, floor: 0.1 }));
});

test("no label lies over another, over what is taken, or beyond the edge", () => {
  const labels = Array.from({ length: 40 }, (_, i) => ({ text: `theme ${i}`, x: (i * 37) % 300, y: (i * 53) % 200 }));
  const taken = [box("“a question”", 150, 100)];
  const found = placed(labels, 300, 200, taken);
  assert.ok(found.length > 5);
  assert.equal(found[0]?.text, "theme 0");
  const boxes = [...taken, ...found.map(({ text, x, y }) => box(text, x, y))];
  boxes.forEach((one, i) => {
    assert.ok(one.x - one.wide / 2 >= -1e-9 && one.x + one.wide / 2 <= 300 + 1e-9 && one.y >= 7 && one.y <= 193);
    for (const other of boxes.slice(i + 1)) assert.ok(!meet(one, other));
  });
});

test("letters that are squares take more room", () => {
  assert.ok(box("料理の本", 0, 0).wide > 1.3 * box("soup", 0, 0).wide);
});

test("a label that is wider than the map is left out", () => {
  assert.deepEqual(placed([{ text: "x".repeat(99), x: 5, y: 5 }], 200, 100), []);
});

test("the nearest dot is found within reach, among those that are there", () => {
  const xs = [0, 10, 20], ys = [0, 0, 0], all = () => true;
  assert.equal(nearest(xs, ys, 12, 1, 5, all), 1);
  assert.equal(nearest(xs, ys, 12, 1, 50, (no) => no !== 1), 2);
  assert.equal(nearest(xs, ys, 12, 30, 5, all), -1);
});

test("an arrow key goes to a dot that lies that way, and nowhere where none does", () => {
  const xs = [0, 10, 12, -4, 0], ys = [0, 9, 1, 0, 7], all = () => true;
  assert.equal(toward(xs, ys, 0, 1, 0, all), 2);
  assert.equal(toward(xs, ys, 0, -1, 0, all), 3);
  assert.equal(toward(xs, ys, 0, 0, 1, all), 4);
  assert.equal(toward(xs, ys, 0, 0, -1, all), -1);
  assert.equal(toward(xs, ys, 0, 1, 0, (no) => no !== 2), 1);
});
