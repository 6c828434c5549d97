/** What happened to an entry, in one line: the same words in the table and, by field, in a column. */
import { h, hidden } from "./dom.js";
import { altered, labelOf, leadOf, moved, othersOf, show, unitOf, worth } from "./fields.js";

const arrow = () => h("span", { class: "dim", "aria-hidden": "true" }, "→");

/** Old value, new value: struck, then strong; both spoken. */
export function step(before, after) {
  return [
    before !== null && [h("del", {}, hidden("was "), show(before)), " ", arrow(), " "],
    after === null ? h("ins", {}, hidden("now "), "gone") : h("ins", {}, hidden("now "), show(after)),
  ];
}

/** The line of a row: "price 680.80 → 707.45 EUR +3.9 % and stock". */
export function happened(info, row) {
  if (row.kind === "corrected") return h("span", { class: "field" }, "reads better now; the portal did not change");
  const fields = row.kind === "changed" ? altered(info, row.data, row.was) : [];
  if (fields.length) return changed(info, row.data, fields);
  const lead = leadOf(info);
  const value = lead && lead in row.data ? worth(info, lead, row.data[lead], row.data) : "";
  if (row.kind === "removed") return value && [h("span", { class: "field" }, "was"), " ", value];
  const rest = othersOf(info, row.data).filter((field) => show(row.data[field]));
  return [
    value && [h("span", { class: "field" }, labelOf(info, lead)), " ", value],
    h("span", { class: "more" }, rest.slice(0, 2).map((field) => `${labelOf(info, field)} ${worth(info, field, row.data[field])}`).join(", ")),
  ];
}

function changed(info, data, [[field, before, after], ...others]) {
  const difference = moved(info, field, before, after);
  const unit = unitOf(info, field, data);
  return [
    h("span", { class: "field" }, labelOf(info, field)),
    " ",
    step(before, after),
    unit && h("span", { class: "unit" }, ` ${unit}`),
    difference && h("span", { class: "delta" }, difference),
    others.length > 0 && h("span", { class: "more" }, others.length === 1 ? `and ${labelOf(info, others[0][0])}` : `and ${others.length} more`),
  ];
}

/** The cell of one field: its value, or old and new where the newest change altered it. */
export function fieldCell(info, column, row) {
  const value = row.data[column.field] ?? null;
  if (row.kind !== "changed" || !row.was || !(column.field in row.was)) return show(value);
  const before = row.was[column.field];
  const difference = column.num && moved(info, column.field, before, value);
  return h("span", { class: "step" }, difference && h("span", { class: "delta" }, difference), step(before, value));
}
