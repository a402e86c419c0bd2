import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST, ROW_PX, bar, pace, phase, reach, teller, took, wanted } from "../src/lib/waterfall.js";

test("the rows in sight are always among those at hand, and never too many", () => {
  for (const total of [0, 1, 7, 100, 28_573, 100_000]) {
    for (const height of [0, 150, 352, 4000]) {
      for (const top of [-40, 0, 33, 5000, total * ROW_PX - height, total * ROW_PX + 99]) {
        const { start, size } = wanted(top, height, total);
        const first = Math.floor(Math.max(0, Math.min(top, total * ROW_PX - height)) / ROW_PX);
        const last = Math.min(total, first + Math.min(Math.ceil(height / ROW_PX), MOST));
        assert.ok(start >= 0 && start + size <= total && size <= MOST);
        assert.ok(start <= first && start + size >= Math.floor(last), JSON.stringify({ total, height, top, start, size }));
      }
    }
  }
});

test("a row is scrolled to no further than it takes", () => {
  assert.equal(reach(3, 0, 220), 0);
  assert.equal(reach(10, 0, 220), 22);
  assert.equal(reach(2, 110, 220), 44);
});

test("bars lie within the whole, and what is not over reaches to its end", () => {
  assert.deepEqual(bar({ start: 1, end: 3 }, 4), { left: 25, width: 50 });
  assert.deepEqual(bar({ start: 3, end: -1 }, 4), { left: 75, width: 25 });
  assert.deepEqual(bar({ start: 0, end: 0 }, 0), { left: 0, width: 0 });
  assert.deepEqual(bar({ start: 9, end: 12 }, 4), { left: 100, width: 0 });
});

test("a span is yet to come until its first entry is heard, and under way until its last", () => {
  const line = { first: 3, last: 6 };
  assert.deepEqual([3, 4, 6, 7].map((heard) => phase(line, heard)), ["later", "now", "now", ""]);
  assert.equal(phase({ first: 0, last: -1 }, 99), "now");
});

test("all of it is played in four to twenty seconds", () => {
  for (const [entries, seconds] of [[1, 4], [50, 4], [250, 10], [100_000, 20]]) {
    assert.equal(Number(entries) / pace(Number(entries)), seconds);
  }
});

test("durations read as in Python", () => {
  const told = [0, 0.12, 40, 900, 4100, 180_000, 10_000_000, 172_800_000].map(took);
  assert.deepEqual(told, ["0 ms", "0.1 ms", "40 ms", "0.9 s", "4.1 s", "3 min", "3 h", "2 d"]);
});

test("of many things the latest is told, at once and then now and then", async () => {
  /** @type {number[]} */
  const told = [];
  let now = 0;
  const { tell, stop } = teller((/** @type {number} */ n) => told.push(n), 20, () => now);
  for (let i = 0; i < 50; i++) tell(i);
  assert.deepEqual(told, [0]);
  await new Promise((done) => { setTimeout(done, 60); });
  assert.deepEqual(told, [0, 49]);
  now = 20;
  tell(50);
  tell(51);
  stop();
  await new Promise((done) => { setTimeout(done, 40); });
  assert.deepEqual(told, [0, 49, 50]);
});
