/**
 * Whether someone is looking, since when, and what they have not read.
 *
 * A row is read when it is opened, when it is marked, or when one leaves after it was on the screen for a moment; a
 * row never shown stays unread, also over a reload. Here means: the page is visible and there was input within a minute.
 */
import { keep, recall } from "./memory.js";

const HERE = 60_000; // ms after the last input
const GLANCE = 1_500; // ms on the screen that count as shown
const KEPT = 5_000; // unread rows remembered over a reload

export class Reader extends EventTarget {
  unread = new Set(); // ids
  looked = recall("look"); // ms: when they were last here, or null at a first visit
  #came; // ms: when this visit began
  #kept = new Map(recall("unread", [])); // id -> offset
  #input = performance.now();
  #left = false;
  #onScreen = new Map(); // id -> when it came on the screen
  #shown = new Set(); // ids that were there long enough

  constructor(now) {
    super();
    this.now = now;
    this.#came = now();
    for (const type of ["pointerdown", "pointermove", "wheel", "keydown", "focus"])
      addEventListener(type, () => this.#arrive(), { passive: true, capture: true });
    document.addEventListener("visibilitychange", () => document.hidden && this.#leave());
  }

  /** ms since which things are news: the last look, or the beginning of a first visit. */
  get look() {
    return this.looked ?? this.#came;
  }

  get present() {
    return !document.hidden && performance.now() - this.#input < HERE;
  }

  /** A row came. `first`: it was there before we came, and is news only since the last look. */
  hear(row, first) {
    const news = !first || row.t > this.look || this.#kept.get(row.id) === row.offset;
    this.#shown.delete(row.id);
    this.#onScreen.delete(row.id);
    if (news) this.unread.add(row.id);
  }

  /** These rows are on the screen now. Called once a second. */
  glance(ids) {
    if (!this.present) {
      this.#onScreen.clear();
      return this.#leave();
    }
    const at = performance.now();
    const still = new Map(ids.map((id) => [id, this.#onScreen.get(id) ?? at]));
    this.#onScreen = still;
    for (const [id, since] of still) if (at - since > GLANCE) this.#shown.add(id);
  }

  read(ids) {
    let any = false;
    for (const id of ids) any = this.unread.delete(id) || any;
    if (any) this.#tell();
  }

  /** Everything among `ids` is read, and now is the last look. */
  mark(ids) {
    this.looked = this.now();
    for (const id of ids) this.unread.delete(id);
    this.#tell();
  }

  forget(source) {
    for (const id of [...this.unread]) if (id.startsWith(`${source}/`)) this.unread.delete(id);
  }

  /** Remember for the next visit. @param rows id -> Row. */
  save(rows) {
    keep("look", this.looked);
    const unread = [...this.unread].slice(-KEPT).map((id) => [id, rows.get(id)?.offset]);
    keep("unread", unread);
  }

  #arrive() {
    this.#input = performance.now();
    this.#left = false;
  }

  #leave() {
    if (this.#left) return;
    this.#left = true;
    this.looked = this.now();
    for (const id of this.#shown) this.unread.delete(id);
    this.#shown.clear();
    this.#tell();
  }

  /** They go away for good. */
  close() {
    if (this.present) this.#leave();
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("read"));
  }
}
