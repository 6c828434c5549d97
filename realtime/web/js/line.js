/**
 * The line to the server: joining, live, lost, catching up, or reading everything again. It is live only while every
 * feed is, and while something is heard: an open connection that says nothing is lost.
 *
 * Event: `line` {from, to, hole}.
 */
const SILENCE = 16_000; // ms; watermarks come every 5 s

export class Line extends EventTarget {
  state = "joining"; // joining | live | lost | catching | reset
  holes = []; // {from, to, filled, rebuilt, ids}: disconnections; `to` null as long as they last
  heardAt;
  tries = 0;
  #everLive = false;

  constructor(socket, world) {
    super();
    this.socket = socket;
    this.world = world;
    this.heardAt = world.api.now();
    socket.onAny(() => (this.heardAt = world.api.now()));
    socket.on("connect", () => this.#connected());
    socket.on("disconnect", () => this.#look());
    socket.io.on("reconnect_attempt", (n) => this.#tried(n));
    world.addEventListener("feeds", () => this.#look());
    world.addEventListener("sources", () => this.#look());
    world.addEventListener("changes", ({ detail: { source, rows } }) => !source.quiet && this.#fill(rows));
    world.addEventListener("reset", ({ detail: { source } }) => !source.quiet && this.#rebuilt());
  }

  /** The disconnection that goes on, or was the last one. */
  get hole() {
    return this.holes.at(-1);
  }

  /** True while nothing on the page may be counted. */
  get blind() {
    return this.state === "joining" || this.state === "reset";
  }

  /** Offsets read and offsets there are to read, over all feeds that catch up. */
  get progress() {
    const behind = this.#feeds.filter((feed) => feed.state === "catching" && feed.target !== null);
    const sum = (of) => behind.reduce((n, feed) => n + of(feed), 0);
    return [sum((feed) => Math.min(feed.cursor, feed.target) - feed.from), sum((feed) => feed.target - feed.from)];
  }

  /** Called once a second: nothing heard for too long means that the connection is dead, whatever it says. */
  listen() {
    const silent = this.world.api.now() - this.heardAt > SILENCE;
    if (silent && this.socket.connected && this.world.sources.size > 0) this.tryNow();
  }

  tryNow() {
    this.socket.disconnect();
    this.socket.connect();
  }

  #connected() {
    this.heardAt = this.world.api.now();
    this.tries = 0;
    this.#look();
  }

  #tried(n) {
    this.tries = n;
    this.#tell(this.state);
  }

  #look() {
    const to = this.#now();
    const from = this.state;
    if (to === from) return this.#tell(from);
    this.state = to;
    if (to === "lost") this.holes.push({ from: this.heardAt, to: null, filled: false, rebuilt: false, ids: new Set() });
    if (to === "live") this.#live();
    this.#tell(from);
  }

  #now() {
    if (!this.socket.connected) return this.#everLive ? "lost" : "joining";
    const feeds = this.#feeds.map((feed) => feed.state);
    if (!this.#everLive) return this.world.loaded && feeds.every((state) => state === "live") ? "live" : "joining";
    if (this.world.list.some((source) => source.resetting)) return "reset";
    return feeds.some((state) => state === "catching" || state === "lost") ? "catching" : "live";
  }

  /** What must be whole before we are live: a tape never is. */
  get #feeds() {
    return this.world.list.filter((source) => !source.quiet).map((source) => source.feed);
  }

  #live() {
    this.#everLive = true;
    const now = this.world.api.now();
    for (const hole of this.holes) if (!hole.filled) Object.assign(hole, { to: now, filled: true });
  }

  #fill(rows) {
    const hole = this.hole;
    if (hole && !hole.filled && !hole.rebuilt) for (const row of rows) hole.ids.add(row.id);
  }

  /** What comes now is everything, not what was missed. */
  #rebuilt() {
    const hole = this.hole;
    if (!hole || hole.filled) return;
    hole.rebuilt = true;
    hole.ids.clear();
  }

  #tell(from) {
    this.dispatchEvent(new CustomEvent("line", { detail: { from, to: this.state } }));
  }
}
