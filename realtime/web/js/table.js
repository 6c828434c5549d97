/**
 * The live table. Reading is sacred: while someone is scrolled down, points at rows, selects or has the focus in one,
 * nothing moves and what arrives waits; a row in sight whose entry changes is replaced where it is.
 */
import { Attention } from "./attention.js";
import { $, glyph, hidden, set } from "./dom.js";
import { columnsOf } from "./fields.js";
import { number } from "./format.js";
import { itemsOf } from "./table_items.js";
import { headRow } from "./table_head.js";
import { RowMaker } from "./row_maker.js";
import { boneRow } from "./table_row.js";
import { Window } from "./window.js";

const TINT = 2_600; // ms that an arrival stays tinted
const BONES = 14;
const MANY = 10_000; // arrivals that are counted while they wait

export class Table {
  columns = null; // of one source's table; null for all sources
  topic = false; // topics are a column
  frozenAt = null; // when the order was asked for by a column
  matched = 0;
  current = null; // id of the row that is open
  items = []; // what is listed, in order
  #window;
  #pending = new Set(); // ids that arrived and wait
  #due = false; // something flows in at the next second
  settling = new Map(); // id -> until when it is tinted
  #attention = new Attention();
  #tall = null; // px of a row, once measured
  #narrow = null; // rows are two lines
  #tab = null; // id of the row in the tab order

  /** @param page {world, reader, line, view, open(id)}. */
  constructor(page, onsort) {
    this.page = page;
    this.onsort = onsort;
    this.#window = new Window($("stream"), $("rows"), () => this.#height(), new RowMaker(page, this));
    this.#listen();
  }

  get reading() {
    return this.#attention.here;
  }

  /** Ids of the entries in sight. */
  get inSight() {
    return this.#window.inSight.map((item) => item.id).filter(Boolean);
  }

  /** Nothing may move: someone reads, or asked for an order that stands. */
  get still() {
    return this.reading || this.page.view.sort !== null;
  }

  /** Ids of all that is listed. */
  get listed() {
    return new Set(this.items.map((item) => item.id));
  }

  /** The table anew: another room, filter or order, or what waited is let in. */
  refresh() {
    const { world, view, line } = this.page;
    this.#pending.clear();
    this.#due = false;
    this.#pill();
    if (line.blind) return this.#bones();
    const rows = view.arrange(world.rows.values());
    this.matched = rows.length;
    this.#shape(rows);
    this.items = this.#window.items = itemsOf(rows, this.page);
    this.paint();
    $("entries").setAttribute("aria-rowcount", this.items.length + 1);
    $("entries").hidden = rows.length === 0;
  }

  paint() {
    if (this.page.line.blind) return;
    const { upper } = this.#window; // asked before the rows are touched: afterwards the browser would lay them out for it
    this.#window.paint();
    this.#dress(upper);
  }

  /** Rows of changed entries arrive. */
  arrive(rows) {
    const mine = this.#mine(rows);
    if (!mine.length) return;
    const until = performance.now() + TINT;
    for (const row of mine) this.settling.set(row.id, until);
    if (this.still) return this.#wait(mine);
    this.refresh();
    this.#slide(mine.length);
  }

  /** Rows arrive from a source that says too much for each to be shown off: they come in once a second. */
  flow(rows) {
    const mine = this.#mine(rows);
    if (!mine.length) return;
    if (this.still) return this.#wait(mine);
    this.#due = true;
  }

  /** Once a second: what waited comes in when nobody reads any more. Returns whether something did. */
  rest() {
    const at = performance.now();
    for (const [id, until] of this.settling) if (until < at) this.settling.delete(id);
    const due = (this.#pending.size > 0 || this.#due) && !this.still;
    if (due) this.refresh();
    return due;
  }

  /** To the newest, whatever one was doing. */
  release() {
    this.#attention.release();
    this.refresh();
  }

  /** Move the focus by so many rows; returns the id of the row it came to. */
  step(by) {
    const { items } = this;
    const focused = document.activeElement?.closest("#rows tr")?.dataset.id ?? this.current;
    const at = items.findIndex((item) => item.id === focused);
    const forward = Math.sign(by);
    let to = at < 0 ? this.#window.top : at + by;
    while (items[to] && !items[to].id) to += forward;
    if (!items[to]) return null;
    this.focus(items[to].id, to);
    return items[to].id;
  }

  /** Focus an entry's row; false when it is not in the table. */
  focus(id, at = this.items.findIndex((item) => item.id === id)) {
    if (at < 0) return false;
    this.#tab = id;
    this.#window.reveal(at);
    this.#dress();
    this.#window.node(id)?.querySelector(".open").focus({ preventScroll: true });
    return true;
  }

  /** Row heights may have changed: the window's size, the density, the font. */
  measure() {
    this.#tall = null;
    if (narrow() === this.#narrow) this.paint();
    else this.refresh();
  }

  #listen() {
    const rows = $("rows");
    rows.addEventListener("click", (event) => {
      const id = event.target.closest("tr")?.dataset.id;
      if (id && getSelection().isCollapsed) this.page.open(id, Boolean(event.target.closest(".open")));
    });
    rows.addEventListener("animationend", (event) => {
      if (event.animationName === "slide") rows.classList.remove("sliding");
      else event.target.closest("tr")?.classList.remove("settling");
    });
    $("stream").addEventListener("scroll", () => this.paint(), { passive: true });
    $("pill").addEventListener("click", () => {
      if (this.page.view.sort) this.onsort(null);
      this.release();
    });
    new ResizeObserver(() => this.measure()).observe($("stream"));
  }

  #height() {
    this.#tall ??= $("rows").querySelector("tr[data-id]")?.getBoundingClientRect().height || null;
    return this.#tall ?? (narrow() ? 52 : 28);
  }

  #shape(rows) {
    const { world, view } = this.page;
    const one = view.route.room ? world.sources.get(view.route.room) : null;
    const columns = one ? columnsOf(one.info, rows) : null;
    const topic = one !== null && view.route.topic === null && rows.some((row) => row.topic);
    this.#narrow = narrow();
    const print = JSON.stringify([columns, topic, view.sort, view.route.room, this.#narrow]);
    if (print === $("head").dataset.print) return;
    $("head").dataset.print = print;
    Object.assign(this, { columns, topic });
    $("entries").dataset.room = one ? "one" : "all";
    set($("head"), headRow(columns, topic, view.sort, this.#narrow ? null : (field) => this.onsort(field)));
    this.#window.clear();
    this.#tall = null;
  }

  /** One row in the tab order; the first row in sight says its time and source, though the rows above said them. */
  #dress(upper = this.#window.upper) {
    const { items } = this;
    if (!this.#window.node(this.#tab)) this.#tab = items.slice(this.#window.top).find((item) => item.id)?.id ?? null;
    for (const open of $("rows").querySelectorAll(".open")) open.tabIndex = open.closest("tr").dataset.id === this.#tab ? 0 : -1;
    const top = this.#window.node(items[upper]?.id);
    for (const tr of $("rows").querySelectorAll("[data-top]")) if (tr !== top) tr.removeAttribute("data-top");
    top?.setAttribute("data-top", "");
  }

  /** Those of the rows that the reader chose to see, or sees. */
  #mine(rows) {
    if (this.page.line.blind) return [];
    const held = this.listed;
    return rows.filter((row) => this.page.view.matches(row) || held.has(row.id));
  }

  #wait(rows) {
    for (const row of rows) if (this.#pending.size < MANY) this.#pending.add(row.id);
    this.#pill();
    this.paint();
  }

  #bones() {
    this.items = this.#window.items = [];
    this.#window.clear();
    $("entries").hidden = false;
    if (!$("head").firstChild) set($("head"), headRow(null, false, null, null));
    set($("rows"), Array.from({ length: BONES }, (_, i) => boneRow(i)));
  }

  #pill() {
    const n = this.#pending.size;
    $("pill").hidden = n === 0;
    if ($("pill").dataset.n === String(n)) return;
    $("pill").dataset.n = n;
    set($("pill"), glyph("up"), `${number(n)}${n < MANY ? "" : " or more"} new`, hidden(", go to the newest"));
  }

  #slide(n) {
    const body = $("rows");
    body.style.setProperty("--by", `${Math.min(n, 40) * this.#height()}px`);
    body.classList.remove("sliding");
    requestAnimationFrame(() => body.classList.add("sliding"));
  }
}

/** Too narrow for columns, as in table.css: the head is out of sight, and a row is two lines. */
const narrow = () => $("stream").clientWidth <= 40 * parseFloat(getComputedStyle(document.documentElement).fontSize);
