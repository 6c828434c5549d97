/** A row of the table: an entry at its newest version. */
import { nameOf } from "./fields.js";

export const idOf = (source, key) => `${source}/${key}`;

export class Row {
  #text = null;

  /**
   * @param source its name. @param change as the feed gave it. @param before the row it replaces, if any.
   * @param heard ms when it came, or null: it was there before we were.
   */
  constructor(source, change, before, heard) {
    this.id = idOf(source, change.key);
    this.source = source;
    this.key = change.key;
    this.topic = change.topic ?? null;
    this.url = change.url ?? null;
    this.version = change.version;
    this.offset = change.offset;
    this.kind = change.kind === "removed" ? "removed" : (change.newest ?? change.kind);
    this.data = change.data ?? before?.data ?? {};
    this.was = this.kind === "removed" ? null : (change.was ?? null);
    this.t = Date.parse(change.at);
    this.heard = heard ?? this.t;
    this.name = nameOf(change.key, this.data);
  }

  /** What a filter's words are looked for in. */
  get text() {
    this.#text ??= `${this.name} ${this.key} ${this.topic ?? ""} ${Object.values(this.data).join(" ")}`.toLowerCase();
    return this.#text;
  }
}

/** Newest first by the second, which is what the page shows; within it a source's rows stay together, newest first. */
export const newestFirst = (a, b) =>
  Math.floor(b.t / 1000) - Math.floor(a.t / 1000) ||
  (a.source < b.source ? -1 : a.source > b.source ? 1 : b.t - a.t || b.offset - a.offset);
