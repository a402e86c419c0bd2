import assert from "node:assert/strict";
import { test } from "node:test";
import { FARTHEST, NEAREST, arcAt, based, fitted, joined, nodeAt, sighted, walk, zoomed } from "../src/lib/space.js";

/** @param {import("../src/lib/space.js").View} view @param {{ xs: ArrayLike<number>, ys: ArrayLike<number> }} base @param {number} i */
const at = (view, base, i) => [view.k * Number(base.xs[i]) + view.x, view.k * Number(base.ys[i]) + view.y].map(Number);

test("places fill the box from its first to its last row, and one alone is in the middle", () => {
  const { xs, ys } = based({ xs: [0, 1, 0.5], ys: [0.4, 0.6, 0.5] }, 500, 400);
  assert.deepEqual([...xs], [34, 466, 250]);
  assert.deepEqual([...ys].map(Math.round), [26, 370, 198]);
  assert.deepEqual([...based({ xs: [0.5], ys: [0.5] }, 500, 400).ys], [198]);
  assert.ok([...based({ xs: [0, 1], ys: [0, 1] }, 80, 100).xs].every((x) => x >= 10 && x <= 70));
});

test("what is under the pointer stays there while one zooms, and there is an end to it", () => {
  let view = { k: 1, x: 12, y: -7 };
  const before = [(200 - view.x) / view.k, (90 - view.y) / view.k];
  for (const by of [1.3, 0.5, 7]) view = zoomed(view, by, 200, 90);
  [(200 - view.x) / view.k, (90 - view.y) / view.k].forEach((x, i) => assert.ok(Math.abs(x - Number(before[i])) < 1e-9));
  for (let i = 0; i < 99; i++) view = zoomed(view, 2, 0, 0);
  assert.equal(view.k, FARTHEST);
  for (let i = 0; i < 99; i++) view = zoomed(view, 0.5, 0, 0);
  assert.equal(view.k, NEAREST);
});

test("a neighbourhood is fitted into the box; a single place is not blown up", () => {
  const base = based({ xs: [0.1, 0.2, 0.9], ys: [0.1, 0.3, 0.9] }, 600, 400);
  const view = fitted(base, [0, 1], 600, 400);
  for (const i of [0, 1]) {
    const [x, y] = at(view, base, i);
    assert.ok(Number(x) >= 0 && Number(x) <= 600 && Number(y) >= 0 && Number(y) <= 400);
  }
  const alone = fitted(base, [2], 600, 400);
  assert.equal(alone.k, 5);
  assert.deepEqual(at(alone, base, 2).map(Math.round), [300, 200]);
  assert.deepEqual(fitted(base, [], 600, 400), { k: 1, x: 0, y: 0 });
});

test("one moves no more than it takes to see something", () => {
  const view = { k: 2, x: 0, y: 0 };
  assert.deepEqual(sighted(view, 100, 100, 600, 400), view);
  assert.deepEqual(sighted(view, 300, 100, 600, 400), { k: 2, x: -40, y: 0 });
  assert.deepEqual(sighted(view, 100, 0, 600, 400), { k: 2, x: 0, y: 40 });
});

test("the node whose rim is nearest is hit; nothing far away is", () => {
  const spots = { xs: [0, 20, 100], ys: [0, 0, 0] };
  assert.equal(nodeAt(spots, [3, 12, 3], 9, 0), 1);
  assert.equal(nodeAt(spots, [3, 3, 3], 4, 0), 0);
  assert.equal(nodeAt(spots, [3, 3, 3], 60, 0), -1);
});

test("an edge is hit along its whole length, and not beyond its ends", () => {
  const spots = { xs: [0, 100, 100], ys: [0, 0, 100] };
  assert.equal(arcAt(spots, [0, 1], [1, 2], 50, 3), 0);
  assert.equal(arcAt(spots, [0, 1], [1, 2], 98, 60), 1);
  assert.equal(arcAt(spots, [0, 1], [1, 2], -20, 0), -1);
  assert.equal(arcAt(spots, [1], [1], 50, 50), -1);
});

test("neighbours are joined either way, each once, and never to themselves", () => {
  const near = joined(4, [0, 1, 1, 2], [1, 0, 2, 2]).map((each) => [...each]);
  assert.deepEqual(near, [[1], [0, 2], [1], []]);
});

test("arrow keys lead to a neighbour that way, and nowhere where there is none", () => {
  const spots = { xs: [0, 50, -50, 10, 300], ys: [0, 5, 0, 60, 0] }, near = [1, 2, 3, 4];
  assert.equal(walk(spots, near, 0, 1, 0), 1); // nearer than the one straight ahead
  assert.equal(walk(spots, near, 0, -1, 0), 2);
  assert.equal(walk(spots, near, 0, 0, 1), 3);
  assert.equal(walk(spots, near, 0, 0, -1), -1);
  assert.equal(walk(spots, [], 0, 1, 0), -1);
  assert.equal(walk({ xs: [0, 0], ys: [0, 0] }, [1], 0, 1, 0), -1);
});
