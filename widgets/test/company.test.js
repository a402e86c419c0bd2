// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { fresh, loaded } from "../src/lib/seats.js";
import { share } from "../src/lib/share.js";

/** @param {...number} nos */
const flights = (...nos) => nos.map((no) => ({ no, a: 0, b: 1 }));

test("a page that comes late sees no old message travel", () => {
  assert.deepEqual(fresh(flights(3, 4), -1), { due: [], seen: 4 });
  assert.deepEqual(fresh([], -1), { due: [], seen: 0 });
});

test("each message travels once", () => {
  assert.deepEqual(fresh(flights(3, 4, 5), 4), { due: flights(5), seen: 5 });
  assert.deepEqual(fresh(flights(3, 4, 5), 5), { due: [], seen: 5 });
});

test("a way says how often it was gone, in both directions", () => {
  assert.equal(loaded({ there: 2, back: 1 }), "3");
  assert.equal(loaded(null), "");
});

test("parts are shares of all there are", () => {
  const told = share({ total: 4, done: 2, failed: 0, cancelled: 1 });
  assert.deepEqual(told, [{ hue: "agl-g1", percent: 50 }, { hue: "agl-g2", percent: 25 }]);
});
