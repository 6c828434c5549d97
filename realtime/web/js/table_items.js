/** What the table lists: entries, and between them the lines of the last look and of disconnections. */
import { hms } from "./format.js";

/** @param rows in order. @returns {id} of each, and {t, name, words} of the lines, which only newest-first has. */
export function itemsOf(rows, page) {
  if (page.view.sort) return rows.map(({ id }) => ({ id }));
  const edges = [...look(page.reader), ...mended(page)].sort((a, b) => b.t - a.t);
  const items = [];
  for (const { id, t } of rows) {
    while (edges.length && t <= edges[0].t) {
      const edge = edges.shift();
      if (items.length) items.push(edge);
    }
    items.push({ id });
  }
  return items;
}

const look = ({ looked }) => (looked === null ? [] : [{ t: looked, name: "look", words: `You looked at ${hms(looked)}` }]);

function mended({ line, view, world }) {
  const edges = [];
  for (const { from, to, filled, ids } of line.holes) {
    const n = filled ? [...ids].filter((id) => world.rows.has(id) && view.inRoom(world.rows.get(id))).length : 0;
    if (n === 0) continue;
    const above = n === 1 ? "the entry that changed is" : `the ${n} entries that changed are`;
    edges.push({ t: from, name: "hole", words: `Disconnected ${hms(from)} to ${hms(to)}: ${above} above, none missing` });
  }
  return edges;
}
