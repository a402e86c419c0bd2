// @ts-check
import assert from "node:assert/strict";
import test from "node:test";
import { line } from "../src/lib/chart.js";

test("a line ends at the right, at the height of its value", () => {
  assert.equal(line([0, 1, 2], 3, 2), "M0.0 27.0L60.0 14.0L120.0 1.0");
  assert.equal(line([2], 3, 2), "M120.0 1.0h.1");
});

test("where nothing is known the line is broken, and what stands alone is a dot", () => {
  assert.equal(line([1, -1, 1, 1, -1, 0], 6, 1), "M0.0 1.0h.1M48.0 1.0L72.0 1.0M120.0 27.0h.1");
  assert.equal(line([-1, -1], 2, 0), "");
});

test("no values, and values that are all zero", () => {
  assert.equal(line([], 120, 0), "");
  assert.equal(line([0, 0], 2, 0), "M0.0 27.0L120.0 27.0");
});
