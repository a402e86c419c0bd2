// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { nextOf, wrongWith } from "../src/lib/answers.js";

test("what is no JSON is told, and where", () => {
  assert.equal(wrongWith('{"city": "Lyon"}'), "");
  assert.match(wrongWith('{"city": Lyon}'), /^This is not JSON yet: .+/);
  assert.notEqual(wrongWith(""), "");
  assert.notEqual(wrongWith("NaN"), "");
});

test("who is looked at next is the one after it, or before it, or any", () => {
  assert.equal(nextOf([1, 2, 3], [1, 3], 2), 3);
  assert.equal(nextOf([1, 2, 3], [1, 2], 3), 2);
  assert.equal(nextOf([1, 2], [], 1), 0);
  assert.equal(nextOf([1], [2], 1), 2);
});
