/** The head of the table, and the order one asks for by it. */
import { h } from "./dom.js";

/**
 * @param columns of a one-source table, or null. @param topic true when topics are a column.
 * @param sort the View's. @param onsort called with the field a reader chose; null: the head cannot be pressed.
 */
export function headRow(columns, topic, sort, onsort) {
  const plain = (cls, words) => h("th", { class: cls, role: "columnheader", scope: "col" }, words);
  const sortable = (cls, field, words) => {
    if (!onsort) return plain(cls, words);
    const order = sort?.field === field ? (sort.down ? "descending" : "ascending") : null;
    const press = h("button", { class: "by", type: "button", "data-field": field, onclick: () => onsort(field) }, words, mark(order));
    return h("th", { class: cls, role: "columnheader", scope: "col", "aria-sort": order }, press);
  };
  const either = columns ? sortable : (cls, field, words) => plain(cls, words);
  return h(
    "tr",
    { role: "row", "aria-rowindex": 1 },
    plain("c-time", "Time"),
    plain("c-kind", h("span", { class: "word" }, "Kind")),
    columns ? null : plain("c-source", "Source"),
    either("c-entry", "", "Entry"),
    either("c-key", "#key", "Key"),
    topic ? plain("c-topic", "Topic") : null,
    columns?.map((c) => sortable(`c-cell ${c.cls}${c.num ? " num" : ""}`, c.field, c.unit ? `${c.label}, ${c.unit}` : c.label)),
    plain("c-what", "Change"),
    plain("c-seq num", "Version"),
  );
}

const mark = (order) => order && h("span", { "aria-hidden": "true" }, order === "descending" ? " ↓" : " ↑");

/** The choices of the narrow page, where there is no head to press. */
export function sortChoices(columns, sort) {
  const choice = (value, words) =>
    h("option", { value, selected: value === (sort ? `${sort.field}${sort.down ? "↓" : "↑"}` : "") }, words);
  const both = (field, label) => [choice(`${field}↑`, `${label}, up`), choice(`${field}↓`, `${label}, down`)];
  return [choice("", "newest first"), both("#key", "Key"), columns.map((column) => both(column.field, column.label))];
}

export const sortWords = (columns, sort) =>
  ({ "": "name", "#key": "key" })[sort.field] ?? columns.find((column) => column.field === sort.field)?.label.toLowerCase() ?? sort.field;
