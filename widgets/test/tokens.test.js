// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { book, choices, decimal, doubts, level, part, percent, seek, spelled, stretches, take, within } from "../src/lib/tokens.js";

const ps = [0.9, 0.3, -1, 0.49, 0.04, 1];

/** @param {Partial<import("../src/messages.js").Tokens>} some */
function of(some) {
  const all = book();
  take(all, { texts: ["a"], logs: [0], others: [[]], likely: [[]], told: [true], ...some });
  return all;
}

test("tokens come in lots, and a log p of one is none", () => {
  const all = of({ texts: ["a", "b"], logs: [1, Math.log(0.5)] });
  take(all, { texts: ["c"], logs: [0], others: [[]], likely: [[]], told: [false] });

  assert.deepEqual(all.texts, ["a", "b", "c"]);
  assert.deepEqual(all.ps, [-1, 0.5, 1]);
});

test("levels are those of the card; what is not known is not shaded", () => {
  assert.deepEqual([0, 0.05, 0.2, 0.49, 0.5, 0.9, -1].map(level), [0, 1, 2, 2, 3, 4, 4]);
});

test("doubts are counted and sought within bounds, both ways", () => {
  assert.equal(doubts(ps, 50, 0, 6), 3);
  assert.equal(doubts(ps, 5, 0, 6), 1);
  assert.equal(doubts(ps, 50, 2, 4), 1);
  assert.equal(seek(ps, -1, 1, 50, 0, 6), 1);
  assert.equal(seek(ps, 1, 1, 50, 0, 6), 3);
  assert.equal(seek(ps, 4, 1, 50, 0, 6), -1);
  assert.equal(seek(ps, 6, -1, 50, 0, 6), 4);
  assert.equal(seek(ps, 3, -1, 50, 2, 6), -1);
});

test("probabilities read as in Python", () => {
  assert.deepEqual([0, -0.0001, -1, -4.5, -9].map(percent), ["100%", ">99%", "37%", "1.1%", "<0.1%"]);
  assert.deepEqual([-0, -2.345, -0.001].map(decimal), ["0.00", "−2.35", "0.00"]);
});

test("a token is spelled so that all of it is seen", () => {
  assert.deepEqual(["↵\n", " a b", "⇥\t", ""].map(spelled), ["↵", "␣a␣b", "⇥", "∅"]);
});

test("what was said stands among the alternatives, and what is left of one is the rest", () => {
  const all = of({ texts: [" b"], logs: [Math.log(0.25)], others: [["a", "c"]], likely: [[Math.log(0.5), Math.log(0.125)]] });
  const { rows, rest } = choices(all, 0);

  assert.deepEqual(rows.map(({ text, said }) => [text, said]), [["a", false], ["␣b", true], ["c", false]]);
  assert.ok(Math.abs(rest - 0.125) < 1e-9);
  assert.deepEqual(choices(of({ logs: [1] }), 0), { rows: [{ text: "a", log: 1, said: true }], rest: 1 });
  assert.equal(choices(of({ logs: [-1], others: [["x"]], likely: [[-0.1]] }), 0).rows.at(-1)?.said, true);
  assert.equal(choices(of({ others: [["x"]], likely: [[-0.001]] }), 0).rest, 0);
});

test("a stretch is known by its least likely token, and by the mean of those that are told", () => {
  const some = stretches(ps, 0, 6, 3);

  assert.deepEqual(some.map(({ at }) => at), [1, 3, 4]);
  assert.deepEqual(some.map(({ mean }) => mean.toFixed(2)), ["0.60", "0.49", "0.52"]);
  assert.deepEqual(stretches(ps, 0, 6, 100).map(({ mean }) => mean), ps);
  assert.deepEqual(stretches(ps, 3, 5, 1).map(({ at }) => at), [4]);
  assert.deepEqual(stretches([-1, -1], 0, 2, 1), [{ at: 0, mean: -1 }]);
  assert.deepEqual(stretches(ps, 0, 0, 9), []);
});

test("steps and their parts are known by where they begin", () => {
  const steps = /** @type {import("../src/messages.js").Spoken[]} */ (/** @type {unknown} */ ([{ first: 0 }, { first: 4 }]));

  assert.deepEqual([within(steps, -1, 9), within(steps, 0, 9), within(steps, 1, 9), within(steps, 7, 9)], [[0, 9], [0, 4], [4, 9], [0, 9]]);
  assert.deepEqual([0, 3, 4, 8].map((at) => part([0, 4], at)), [0, 0, 1, 1]);
});
