/**
 * What the page knows: the sources, the newest version of every entry, and what happened in the last half hour.
 * It follows the room of every source, of a quiet one only while it is looked at, and the room "*", which tells of all
 * watermarks.
 *
 * Events: `sources`, `changes` {rows, source}, `heard` {source}, `reset` {source}, `feeds` (a feed's state changed),
 * `joined` {source, answer}.
 */
import { path } from "./api.js";
import { Feed } from "./feed.js";
import { Row, idOf } from "./row.js";
import { Source } from "./source.js";
import { Tape } from "./tape.js";

const HALF_HOUR = 1_800_000; // ms that the wire reaches back, and a removed entry that was read stays
const TOGETHER = 250; // ms in which several reasons to ask for a source are one

export class World extends EventTarget {
  sources = new Map(); // name -> Source, in the order of their titles
  rows = new Map(); // id -> Row
  ticks = []; // {id, offset, t, kind, source, topic}, oldest first
  loaded = false; // the list of sources has come at least once
  fault = null; // why it has not
  #asked = new Map(); // name -> timer
  #open = null; // the room one looks at
  #join = {}; // further fields of every join

  constructor(socket, api, reader) {
    super();
    this.socket = socket;
    this.api = api;
    this.reader = reader;
    socket.on("connect", () => this.#enter());
    socket.on("watermark", (watermark) => this.#hear(watermark));
    if (socket.connected) this.#enter();
  }

  get list() {
    return [...this.sources.values()];
  }

  row(source, key) {
    return this.rows.get(idOf(source, key));
  }

  /** Ask for the sources again, as the server has them configured and judged now. */
  async load() {
    try {
      const { sources } = await this.api.ask(path(["sources"]));
      this.fault = null;
      for (const info of sources) this.#know(info);
      this.loaded = true;
    } catch (error) {
      this.fault = error.message;
    }
    this.#tell("sources", {});
  }

  /** The reader looks at this room (null: all sources). A quiet source is followed as long as they do. */
  look(room) {
    this.#open = room;
    for (const source of this.list) this.#follow(source);
  }

  /** Be in every room by this name; null: by none. */
  enterAs(username) {
    this.#join = { username };
    for (const { feed } of this.list) feed?.rejoin(this.#join);
  }

  /** Drop the rows that a tape has let go of. @param listed ids that are shown and stay. Returns how many went. */
  trim(source, listed) {
    const before = this.rows.size;
    for (const row of this.rows.values())
      if (row.source === source.name && !source.feed.entries.has(row.key) && !listed.has(row.id)) this.rows.delete(row.id);
    return before - this.rows.size;
  }

  /** Removed entries that were read leave the table after half an hour. Returns how many went. */
  prune(now, keep) {
    const gone = [...this.rows.values()].filter(
      (row) => row.kind === "removed" && now - row.t > HALF_HOUR && !this.reader.unread.has(row.id) && row.id !== keep,
    );
    for (const row of gone) this.rows.delete(row.id);
    this.ticks = this.ticks.filter((tick) => now - tick.t < HALF_HOUR);
    return gone.length;
  }

  /** Entries that the server names, which may not be here: their ids, each with a row from now on. */
  show(source, items) {
    return items.map((item) => {
      const id = idOf(source, item.key);
      if (!this.rows.has(id)) this.rows.set(id, new Row(source, item, null, null));
      return id;
    });
  }

  #enter() {
    this.load();
    this.socket.emit("join", { room: "*" });
  }

  #know(info) {
    const known = this.sources.get(info.name);
    if (known) {
      known.info = info;
      return this.#follow(known);
    }
    const source = new Source(info);
    this.#follow(source);
    const titled = [...this.list, source].sort((a, b) => a.title.localeCompare(b.title));
    this.sources = new Map(titled.map((one) => [one.name, one]));
  }

  /** Follow a source's room as it wants to be followed, or stop. */
  #follow(source) {
    const Kind = source.quiet ? Tape : Feed;
    const wanted = !source.quiet || source.name === this.#open;
    if (wanted ? source.feed instanceof Kind : source.feed === null) return;
    if (source.feed) {
      source.feed.close();
      this.#forget(source);
    }
    source.feed = wanted ? this.#connect(source, Kind) : null;
    source.followedAt = wanted ? this.api.now() : null;
  }

  #connect(source, Kind) {
    const feed = new Kind(this.socket, source.name, this.#join);
    feed.addEventListener("changes", ({ detail }) => this.#take(source, detail.changes));
    feed.addEventListener("reset", () => this.#forget(source));
    feed.addEventListener("refused", ({ detail }) => this.#refused(source, detail.error));
    feed.addEventListener("state", () => this.#moved(source));
    feed.addEventListener("joined", ({ detail }) => this.#tell("joined", { source, ...detail }));
    return feed;
  }

  #hear(watermark) {
    const source = this.sources.get(watermark.room);
    if (!source) {
      if (!watermark.room.includes("/")) this.#again(null);
      return;
    }
    const before = source.heard;
    source.heard = watermark;
    if (!before || before.run !== watermark.run || before.state !== watermark.state) this.#again(watermark.room);
    this.#tell("heard", { source });
  }

  /** Something changed about a source (null: about which ones there are): ask for it, once for several reasons. */
  #again(name) {
    if (this.#asked.has(name)) return;
    const ask = async () => {
      this.#asked.delete(name);
      if (name === null) return this.load();
      const info = await this.api.ask(path(["sources", name])).catch(() => null); // the next watermark or connect asks again
      if (info) this.#know(info);
      this.#tell("sources", {});
    };
    this.#asked.set(name, setTimeout(ask, TOGETHER));
  }

  #take(source, changes) {
    const first = source.feed.everLive === false; // what was there before we came is news only since the last look
    const now = this.api.now();
    const rows = changes.map((change) => new Row(source.name, change, this.row(source.name, change.key), first ? null : now));
    for (const row of rows) {
      this.rows.set(row.id, row);
      source.knownFrom = Math.min(source.knownFrom, row.t);
      if (!source.quiet) this.reader.hear(row, first);
    }
    const told = source.quiet ? perSecond(rows) : rows;
    for (const { id, offset, t, kind, topic } of told)
      if (now - t < HALF_HOUR) this.ticks.push({ id, offset, t, kind, topic, source: source.name });
    this.#tell("changes", { rows, source });
  }

  #forget(source) {
    source.resetting = !source.quiet;
    source.knownFrom = Infinity;
    source.followedAt = this.api.now();
    for (const row of [...this.rows.values()]) if (row.source === source.name) this.rows.delete(row.id);
    this.ticks = this.ticks.filter((tick) => tick.source !== source.name);
    this.reader.forget(source.name);
    this.#tell("reset", { source });
  }

  #refused(source, error) {
    source.refusal = error?.message ?? "The server did not answer.";
    this.#tell("feeds", {});
  }

  #moved(source) {
    if (source.feed.state === "live") {
      source.resetting = false;
      source.refusal = null;
    }
    this.#tell("feeds", {});
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** One row of each second and kind: as much as the wire can show of a thousand. */
function perSecond(rows) {
  return [...new Map(rows.map((row) => [`${Math.floor(row.t / 1000)} ${row.kind}`, row])).values()];
}
