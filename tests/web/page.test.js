/** The page's pure parts: addresses, values, order. */
import assert from "node:assert/strict";
import test from "node:test";
import { altered, columnsOf, moved, nameOf, numeric, show, worth } from "../../realtime/web/js/fields.js";
import { number, span } from "../../realtime/web/js/format.js";
import { address, parse } from "../../realtime/web/js/route.js";
import { View, by } from "../../realtime/web/js/view.js";

const INFO = { lead: "price", fields: { price: { unit: "EUR" }, per: { label: "unit" } } };

test("an address and its route say the same", () => {
  for (const route of [
    { view: "live" },
    { view: "live", room: "vendor_x" },
    { view: "live", room: "vendor_x", topic: "steel / flat" },
    { view: "live", room: "vendor_x", topic: null, entry: { source: "vendor_x", key: "A/1 #2%" } },
    { view: "live", room: "vendor_x", topic: "steel", entry: { source: "vendor_x", key: "-" } },
    { view: "live", entry: { source: "vendor_x", key: "SKU-1" } },
    { view: "health" },
    { view: "health", source: "vendor_x" },
    { view: "health", source: "vendor_x", part: "rejected" },
    { view: "health", source: null, part: "rejected" },
  ]) {
    const full = { room: null, topic: null, entry: null, source: null, part: null, ...route };
    assert.deepEqual(parse(address(route)), full, address(route));
  }
});

test("an address that nobody made is no error", () => {
  for (const hash of ["", "#", "#/", "#/live/%E0%A4%A", "#/live/-/-/-", "#/what/ever", "#/live//x"]) assert.ok(parse(hash).view);
});

test("values keep the digits they came with", () => {
  assert.equal(show("1526.50"), "1,526.50");
  assert.equal(show("2026"), "2026");
  assert.equal(show("00420"), "00420");
  assert.equal(show(true), "yes");
  assert.equal(show(["a", 1]), "a, 1");
  assert.equal(show(null), "");
  assert.equal(show("<b>"), "<b>");
  assert.equal(worth(INFO, "price", "512.40"), "512.40 EUR");
  assert.equal(worth({ lead: "price" }, "price", "512.40", { price: "512.40", currency: "USD" }), "512.40 USD");
});

test("numbers are recognised in decimal texts only", () => {
  assert.deepEqual(["1.5", "-2", 3, "1,5", "", "1e3", "x", null].map(numeric), [1.5, -2, 3, null, null, null, null, null]);
});

test("a share is told of the leading number only", () => {
  assert.equal(moved(INFO, "price", "680.80", "707.45"), "+3.9 %");
  assert.equal(moved(INFO, "price", "100", "99.98"), "−0.02 %");
  assert.equal(moved(INFO, "stock", "10", "20"), "");
  assert.equal(moved(INFO, "price", "0", "20"), "");
});

test("an entry is called by its name, else its title, else its key", () => {
  assert.equal(nameOf("k", { name: "Beam" }), "Beam");
  assert.equal(nameOf("k", { title: "Notice" }), "Notice");
  assert.equal(nameOf("k", { name: "  " }), "k");
});

test("what was altered names the leading field first", () => {
  assert.deepEqual(altered(INFO, { price: "2", per: "t" }, { per: "kg", price: "1" }), [
    ["price", "1", "2"],
    ["per", "kg", "t"],
  ]);
});

test("columns: the leading field first, numbers to the right, one currency in the head", () => {
  const rows = [{ data: { name: "a", stock: "4", price: "1.50", currency: "EUR", per: "t" } }];
  const columns = columnsOf({ lead: "price", fields: { per: { label: "unit" } } }, rows);
  assert.deepEqual(columns.map(({ field, label, unit, num }) => [field, label, unit, num]), [
    ["price", "Price", "EUR", true],
    ["per", "Unit", "", false],
    ["stock", "Stock", "", true],
  ]);
});

const row = (name, price, t = 0) => ({ name, source: "s", key: name, offset: t, t, topic: null, kind: "new", data: { price }, text: name });

test("order by a field: numbers as numbers, what has none last in both directions", () => {
  const rows = [row("a", "9.5"), row("b", "100"), row("c", undefined), row("d", "-2"), row("e", "on request")];
  const names = (direction) => [...rows].sort(by("price", direction)).map(({ name }) => name).join("");
  assert.equal(names(1), "dabec");
  assert.equal(names(-1), "ebadc");
});

test("newest first, and only what matches", () => {
  const view = new View();
  const rows = [row("beam", 1, 1), row("plate", 2, 3), row("beam two", 3, 2)];
  assert.deepEqual(view.arrange(rows).map(({ t }) => t), [3, 2, 1]);
  view.seek("BEAM two");
  assert.deepEqual(view.arrange(rows).map(({ name }) => name), ["beam two"]);
  view.route = parse("#/live/other");
  assert.deepEqual(view.arrange(rows), []);
});

test("lengths of time and numbers in words", () => {
  assert.deepEqual([5, 120, 7200, 400_000].map(span), ["5 s", "2 min", "2 h", "5 days"]);
  assert.equal(number(1234567.891, 2), "1,234,567.89");
});
