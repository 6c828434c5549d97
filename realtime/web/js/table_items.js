/** What the table lists: entries, and between them the lines of the last look and of disconnections. */
import { hms } from "./format.js";

/** @param rows in order. @returns {id} of each, and {name, words} of the lines, which only newest-first has. */
export function itemsOf(rows, page) {
  const items = rows.map(({ id }) => ({ id }));
  if (page.view.sort) return items;
  const edges = [...look(page.reader, rows), ...page.line.holes.flatMap((hole) => mended(hole, rows))];
  for (const { at, ...edge } of edges.sort((a, b) => b.at - a.at)) if (at > 0) items.splice(at, 0, edge);
  return items;
}

/** Above the newest row that was there when they looked. */
function look({ looked }, rows) {
  const at = looked === null ? -1 : rows.findIndex((row) => row.heard <= looked);
  return [{ at, name: "look", words: `You looked at ${hms(looked)}` }];
}

/** Under the last of the entries that changed while the line was lost. */
function mended({ from, to, filled, ids }, rows) {
  if (!filled) return [];
  const n = rows.filter((row) => ids.has(row.id)).length;
  const above = n === 1 ? "the entry that changed is" : `the ${n} entries that changed are`;
  const words = `Disconnected ${hms(from)} to ${hms(to)}: ${above} above, none missing`;
  return [{ at: rows.findLastIndex((row) => ids.has(row.id)) + 1, name: "hole", words }];
}
