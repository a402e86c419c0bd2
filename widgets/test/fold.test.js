import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING, ahead, due, seconds, shown, spans, tell } from "../src/lib/fold.js";

test("pieces are drawn once, and anew when another answer begins", () => {
  const told = ["one\n", "two"].reduce(tell, { ...NOTHING, turn: 3 });

  assert.deepEqual(told, { turn: 3, taken: 2, fresh: false, within: 2 });
  assert.deepEqual(due(told, { turn: 3, pieces: 5 }), { anew: false, from: 2, to: 5 });
  assert.deepEqual(due(told, { turn: 4, pieces: 1 }), { anew: true, from: 0, to: 1 });
  assert.deepEqual(NOTHING, { turn: -1, taken: 0, fresh: true, within: 0 });
});

test("headers are set apart only where a line begins, and no letter is lost", () => {
  const text = "hm\nThought: an Action: no\nAction: go <b>\n**Action Input:** x";
  const parts = spans(text);

  assert.deepEqual(
    parts.filter((p) => p.hue).map((p) => [p.hue, p.text]),
    [["thought", "Thought:"], ["tool", "Action:"], ["tool", "**Action Input:"]],
  );
  assert.equal(parts.map((p) => p.text).join(""), text);
  assert.deepEqual(spans(""), []);
});

test("a piece that goes on with a line begins with no header", () => {
  assert.deepEqual(spans("Action: no", false), [{ hue: "", text: "Action: no" }]);
  assert.deepEqual(spans("x\nAction: yes", false).map((p) => p.hue), ["", "tool", ""]);
});

test("what the kernel no longer keeps is a gap, and known by the row before it", () => {
  assert.deepEqual(shown(3, () => true), { rows: [0, 1, 2], after: -1 });
  assert.deepEqual(shown(6, (i) => i < 2 || i > 4), { rows: [0, 1, 5], after: 1 });
});

test("durations read as in Python", () => {
  assert.deepEqual([-5, 2640, 59_900, 180_000, 172_000_00].map(seconds), ["0.0 s", "2.6 s", "59.9 s", "3 min", "5 h"]);
});

test("the clock of the page is ahead by no more than a message that came at once shows", () => {
  const told = /** @type {[number, number][]} */ ([[1300, 1000], [1520, 1500], [1900, 1600]]);

  assert.equal(told.reduce((known, [here, there]) => ahead(known, here, there), Infinity), 20);
});
