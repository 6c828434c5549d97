/** Makes the table's rows for its window, each anew only when it would look different. */
import { h } from "./dom.js";
import { edgeRow, entryRow } from "./table_row.js";

export class RowMaker {
  /** @param page {world, reader}. @param table {columns, topic, items, current, settling}. */
  constructor(page, table) {
    this.page = page;
    this.table = table;
  }

  name(item) {
    return item.id ?? item.words;
  }

  print(item, index) {
    if (!item.id) return item.words;
    const row = this.page.world.rows.get(item.id);
    if (!row) return "gone";
    const { unread, current, first } = this.#told(row, index);
    const { state, info } = this.page.world.sources.get(row.source);
    return [row.offset, unread, current, first, state, info.lead].join();
  }

  node(item, index) {
    if (!item.id) return edgeRow(item);
    const row = this.page.world.rows.get(item.id);
    if (!row) return h("tr", { role: "row", "data-kind": "removed" }, h("td", { role: "cell" }));
    const { columns, settling } = this.table;
    const tr = entryRow(row, this.page.world.sources.get(row.source), columns, this.#told(row, index));
    if (settling.get(row.id) > performance.now()) tr.classList.add("settling");
    return tr;
  }

  /** A delivery says its time and source once: `first` is false where the row above says the same. */
  #told(row, index) {
    const { world, reader } = this.page;
    const above = world.rows.get(this.table.items[index - 1]?.id);
    const ditto = above && above.source === row.source && Math.floor(above.t / 1000) === Math.floor(row.t / 1000);
    return {
      unread: reader.unread.has(row.id),
      current: row.id === this.table.current,
      first: !ditto,
      topic: this.table.topic,
      now: world.api.now(),
    };
  }
}
