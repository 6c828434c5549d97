/** The page: one object that the parts share, and what a reader can do with it. */
import { $ } from "./dom.js";
import { drawBand } from "./band.js";
import { Draw } from "./draw.js";
import { openEntry } from "./entry_panel.js";
import { drawFilters } from "./filters.js";
import { drawHealth } from "./health.js";
import { openHeld } from "./held_panel.js";
import { openLetters } from "./letters_panel.js";
import { Panel } from "./panel.js";
import { drawRail } from "./rail.js";
import { address, parse } from "./route.js";
import { RoomPanel } from "./room_panel.js";
import { openSource } from "./source_panel.js";
import { Table } from "./table.js";
import { roomTitle } from "./place.js";
import { View } from "./view.js";
import { drawWire } from "./wire.js";

export class Page {
  view = new View();

  constructor({ world, line, reader, api, tell, signIn, people, top }) {
    Object.assign(this, { world, line, reader, api, tell, signIn, people, top });
    for (const name of ["markRead", "filter", "sortBy", "held", "unreadHere", "open"]) this[name] = this[name].bind(this);
    this.panel = new Panel((opener) => this.#closed(opener));
    this.table = new Table(this, this.sortBy);
    this.room = new RoomPanel(this);
    this.draw = new Draw({
      band: () => drawBand(this),
      rail: () => drawRail(this),
      filters: () => drawFilters(this),
      wire: () => this.view.route.view === "live" && drawWire(this),
      health: () => this.view.route.view === "health" && drawHealth(this),
      room: () => this.room.draw(),
      rows: () => this.view.route.view === "live" && this.table.paint(),
    });
  }

  get unreadRows() {
    return [...this.reader.unread].map((id) => this.world.rows.get(id)).filter(Boolean);
  }

  unreadHere() {
    return this.unreadRows.filter((row) => this.view.inRoom(row));
  }

  /** Go where the address says. `focus`: what opens takes the focus; unsaid, only when the room is another. */
  go(hash, focus) {
    const before = this.view.route;
    const route = parse(hash);
    this.view.route = route;
    this.world.look(route.room);
    this.#show(route);
    const moved = before.view !== route.view || before.room !== route.room || before.topic !== route.topic;
    if (before.room !== route.room) this.view.sort = null;
    if (moved) this.#rank();
    if (moved) this.#enter();
    if (moved) this.closeSheet?.();
    const replaced = (route.entry || route.source || route.part) && this.room.yield();
    this.#open(route, focus ?? (moved || replaced));
    this.draw.touch();
  }

  /** Open an entry beside the room one is in. `focus`: by keyboard or on its name, so the panel takes the focus. */
  open(id, focus = false) {
    const row = this.world.rows.get(id);
    if (!row) return;
    const { room, topic, entry } = this.view.route;
    const to = address({ room, topic, entry: { source: row.source, key: row.key } });
    if (entry) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
    this.go(location.hash, focus);
  }

  held(name) {
    openHeld(this, name);
  }

  step(by) {
    const id = this.table.step(by);
    if (id && this.view.route.entry) this.open(id);
  }

  filter({ kind = this.view.kind, words }) {
    this.view.kind = kind;
    if (words !== undefined) this.view.seek(words);
    $("stream").scrollTop = 0;
    this.table.refresh();
    this.draw.touch("filters");
    this.draw.now();
  }

  /** Order by a column; the same again turns it round; null goes back to newest. The order stands until then. */
  sortBy(field, down) {
    const { view, table } = this;
    const turned = view.sort?.field === field ? !view.sort.down : (table.columns?.find((c) => c.field === field)?.num ?? false);
    view.sort = field === null ? null : { field, down: down ?? turned };
    this.#rank();
    table.frozenAt = this.api.now();
    $("stream").scrollTop = 0;
    table.refresh();
    this.draw.touch("filters");
    this.draw.now();
    if (field !== null) $("head").querySelector(`[data-field="${CSS.escape(field)}"]`)?.focus();
  }

  markRead() {
    this.reader.mark(this.unreadHere().map((row) => row.id));
    this.tell.toast(this.view.route.room === null ? "Everything is marked read." : `${roomTitle(this.world, this.view.route)} is marked read.`);
  }

  /** Put the table in order, unless someone reads it or asked for another order. */
  settle() {
    if (!this.table.still) this.table.refresh();
  }

  nextUnread() {
    const names = [...this.world.sources.keys()];
    const start = names.indexOf(this.view.route.room);
    const unread = new Set(this.unreadRows.map((row) => row.source));
    const next = names.map((_, i) => names[(start + 1 + i) % names.length]).find((name) => unread.has(name));
    if (next) location.hash = address({ room: next });
    else this.tell.toast("Nothing unread in any source.");
  }

  /** What the panel shows was touched by something that arrived. */
  freshen(rows) {
    const { entry, source, part } = this.view.route;
    if (this.panel.open === null && (entry || source || part)) return this.#open(this.view.route, false); // known only now
    if (entry && (!rows || rows.some((row) => row.source === entry.source && row.key === entry.key))) openEntry(this, entry, false);
    if (!rows && this.panel.open?.startsWith("source:")) openSource(this, this.view.route.source, false);
  }

  /** In the order of a number, the server says what comes first; until it does, what is here is in that order. */
  async #rank() {
    const { view, table } = this;
    const { sort } = view;
    const { room, topic } = view.route;
    view.top = null;
    if (!sort || room === null || !table.columns?.find((column) => column.field === sort.field)?.num) return;
    const top = await this.top.ask({ room, topic }, sort.field, sort.down);
    if (!top || view.sort !== sort || view.route.room !== room || view.route.topic !== topic) return;
    view.top = this.world.show(room, top.items);
    if (top.as_of) table.frozenAt = Date.parse(top.as_of);
    table.refresh();
    this.draw.touch("filters");
  }

  #show({ view }) {
    document.body.dataset.view = view;
    $("live").hidden = view !== "live";
    $("health").hidden = view !== "health";
    for (const link of document.querySelectorAll("[data-view-link]")) {
      if (link.dataset.viewLink === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #enter() {
    $("stream").scrollTop = 0;
    if (this.view.route.view === "live") this.table.refresh();
  }

  #open({ view, entry, source, part }, focus) {
    this.table.current = entry ? `${entry.source}/${entry.key}` : null;
    if (entry) {
      this.reader.read([this.table.current]);
      return openEntry(this, entry, focus);
    }
    if (view === "health" && part === "rejected") return openLetters(this, source, true);
    if (view === "health" && part === "held" && source) return openHeld(this, source);
    if (view === "health" && source) return openSource(this, source, true);
    this.panel.drop();
  }

  /** The panel was closed: the address follows, and the focus goes back to the row or to what opened it. */
  #closed(opener) {
    const { room, topic, view } = this.view.route;
    const row = this.table.current;
    history.replaceState(null, "", address(view === "health" ? { view } : { room, topic }));
    this.go(location.hash);
    this.draw.now();
    if (row && this.table.focus(row)) return;
    if (opener?.isConnected) opener.focus();
  }
}
