/** Keys of entries in a text. */
import assert from "node:assert/strict";
import test from "node:test";
import { mentions } from "../../realtime/web/js/mention.js";

const KEYS = new Set(["SKU-1", "Beam HEB 200", "Beam", "a.b.", "(7)"]);
const found = (text) => mentions(text, (key) => KEYS.has(key));

test("keys are found between what stands around them", () => {
  assert.deepEqual(found("see SKU-1, or (SKU-1)."), ["see ", { key: "SKU-1" }, ", or (", { key: "SKU-1" }, ")."]);
  assert.deepEqual(found("SKU-1:\n  again SKU-12"), [{ key: "SKU-1" }, ":\n  again SKU-12"]);
});

test("the longest key counts, also with blanks or marks in it", () => {
  assert.deepEqual(found("Beam HEB 200!"), [{ key: "Beam HEB 200" }, "!"]);
  assert.deepEqual(found("Beam HEB 300"), [{ key: "Beam" }, " HEB 300"]);
  assert.deepEqual(found("a.b. (7)"), [{ key: "a.b." }, " ", { key: "(7)" }]);
});

test("text without keys stays as it is", () => {
  for (const text of ["", " ", "nothing here", "\n\n(…)"]) assert.equal(found(text).join(""), text);
});
