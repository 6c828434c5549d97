/** What the reader chose to see: the room, the filter, the order. */
import { parse } from "./route.js";
import { numeric } from "./fields.js";
import { newestFirst } from "./row.js";

export class View {
  route = parse("");
  kind = "all";
  words = []; // all of them must occur
  sort = null; // {field, down}: null is newest first
  top = null; // ids in the order of `sort`, as the server had them; null: of all that is here

  get filtered() {
    return this.kind !== "all" || this.words.length > 0;
  }

  inRoom(row) {
    const { room, topic } = this.route;
    return (room === null || row.source === room) && (topic === null || row.topic === topic);
  }

  matches(row) {
    return this.inRoom(row) && (this.kind === "all" || row.kind === this.kind) && this.words.every((word) => row.text.includes(word));
  }

  seek(text) {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
  }

  /** The rows that match, in order. */
  arrange(rows) {
    const shown = [...rows].filter((row) => this.matches(row));
    if (this.top) {
      const here = new Map(shown.map((row) => [row.id, row]));
      return this.top.map((id) => here.get(id)).filter(Boolean);
    }
    if (!this.sort) return shown.sort(newestFirst);
    return shown.sort(by(this.sort.field, this.sort.down ? -1 : 1));
  }
}

/** Compares rows by a field: numbers as numbers, before text, and what has no value last, whichever the direction. */
export function by(field, direction) {
  const valueOf = { "": (row) => row.name, "#key": (row) => row.key }[field] ?? ((row) => row.data[field]);
  return (a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    const [noX, noY] = [x === undefined || x === null || x === "", y === undefined || y === null || y === ""];
    if (noX || noY) return noX - noY || newestFirst(a, b);
    return compare(x, y) * direction || newestFirst(a, b);
  };
}

const words = new Intl.Collator("en", { numeric: true });

function compare(x, y) {
  const [n, m] = [numeric(x), numeric(y)];
  if (n !== null && m !== null) return n - m;
  if (n !== null || m !== null) return n !== null ? -1 : 1;
  return words.compare(String(x), String(y));
}
