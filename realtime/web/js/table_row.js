/** One `tr`: an entry, a line between entries, or a bone while there is nothing to show yet. */
import { fieldCell, happened } from "./change.js";
import { glyph, h, hidden } from "./dom.js";
import { KIND, hms, when } from "./format.js";

const cell = (cls, ...kids) => h("td", { class: cls, role: "cell" }, ...kids);

/**
 * @param row what to show. @param source its Source. @param columns of a one-source table, or null for all sources.
 * @param told {unread, current, first, topic, now}: how it stands in the table.
 */
export function entryRow(row, source, columns, told) {
  const { info, state } = source;
  return h(
    "tr",
    {
      role: "row",
      "data-id": row.id,
      "data-kind": row.kind,
      "data-unread": told.unread,
      "data-first": told.first,
      "aria-current": told.current ? "true" : null,
    },
    cell("c-time", h("time", { datetime: new Date(row.t).toISOString() }, sameDay(row.t, told.now) ? hms(row.t) : dayOf(row.t, told.now))),
    cell("c-kind", glyph(row.kind), h("span", { class: "word" }, KIND[row.kind])),
    columns ? null : cell("c-source", h("span", { class: "said" }, source.title, doubt(state, " "))),
    cell("c-entry", h("button", { class: "open", type: "button", tabindex: "-1", title: row.name }, row.name)),
    cell("c-key", row.key),
    told.topic ? cell("c-topic", row.topic ?? "") : null,
    columns?.map((column) => cell(`c-cell ${column.cls}${column.num ? " num" : ""}`, fieldCell(info, column, row))),
    cell("c-what", h("span", { class: "happened" }, happened(info, row)), h("span", { class: "from" }, doubt(state, ""), source.title)),
    cell("c-seq num", String(row.version)),
  );
}

const doubt = (state, before) =>
  state !== "fresh" && [before, h("span", { class: "state", "data-state": state }, glyph(state), hidden(`${state} `))];

const sameDay = (t, now) => new Date(t).toDateString() === new Date(now).toDateString();

const dayOf = (t, now) => when(t, now).split(", ")[0];

/** A line across the table: where the reader left, where the connection was lost. */
export function edgeRow({ name, words }) {
  return h(
    "tr",
    { class: "edge", role: "row", "data-edge": name },
    h("td", { role: "cell" }, h("span", {}, words)),
  );
}

/** What stands for rows while they are being read. */
export function boneRow(i) {
  const cells = ["c-time", "c-kind", "c-source", "c-entry", "c-key", "c-topic", "c-what", "c-seq"];
  return h(
    "tr",
    { class: "bone", role: "row", "aria-hidden": "true", "data-first": true },
    cells.map((cls, k) => h("td", { class: cls, role: "cell", style: { "--w": `${30 + ((i * 37 + k * 53) % 45)}%` } })),
  );
}
