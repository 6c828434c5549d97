/**
 * The client that follows a room and never says complete over a hole. It needs a Socket.IO socket and nothing else:
 *
 *     const feed = new Feed(io(), "vendor_x/steel");
 *     feed.addEventListener("changes", ({ detail }) => detail.changes.forEach(show));
 *     feed.addEventListener("state", () => (badge.textContent = feed.state));
 *
 * Events: `joined` {answer}, `changes` {changes, catching}, `watermark` {watermark}, `state` {state}, `reset` {epoch},
 * `refused` {error}.
 * `entries` maps keys to the newest change of every present entry; `asOf` is the time for which we vouch, or null.
 */
import { Ledger } from "./rule.js";

const ACK_WITHIN = 10_000; // ms that the server has to answer a join
const OVERDUE = 2_000; // ms that a watermark may run ahead of its entries before we ask for them
const RETRY = [1_000, 2_000, 5_000, 10_000, 30_000]; // ms between joins that were refused

export class Feed extends EventTarget {
  #ledger = new Ledger();
  #listeners;
  #joins = 0; // counts joins, so that an answer to an older one is told from the newest
  #refusals = 0;
  #timer = null;
  #overdue = null;

  /** @param socket a Socket.IO client. @param room SOURCE or SOURCE/TOPIC. @param join further fields of the join, `where` and `delta` too. */
  constructor(socket, room, join = {}) {
    super();
    this.socket = socket;
    this.room = room;
    this.name = room; // what the server calls it: with a filter, or deltas, the answer to the join says
    this.options = { ...join };
    this.state = "joining"; // joining | live | lost | catching
    this.everLive = false;
    this.from = 0; // the cursor where the present catching up began
    this.#listeners = {
      connect: () => this.#catchUp(),
      disconnect: () => this.#lose(),
      entries: (frame) => frame.room === this.name && this.#take(frame),
      watermark: (watermark) => watermark.room === this.name && this.#hear(watermark),
      reset: (told) => told.room === this.name && this.#restart(told.epoch),
    };
    for (const [name, listener] of Object.entries(this.#listeners)) socket.on(name, listener);
    if (socket.connected) this.#catchUp();
  }

  get entries() {
    return this.#ledger.entries;
  }

  get cursor() {
    return this.#ledger.cursor;
  }

  /** The offset that the server had when we last joined, or null. */
  get target() {
    return this.#ledger.target;
  }

  /** Everything up to this time (ISO) is here; null as long as nothing can be vouched for. */
  get asOf() {
    return this.#ledger.mark?.as_of ?? null;
  }

  /** Join with other fields from now on. A live feed goes on from its cursor and stays live. */
  rejoin(fields) {
    Object.assign(this.options, fields);
    if (!this.socket.connected) return;
    if (this.state === "live") this.#join();
    else this.#catchUp();
  }

  /** Leave the room and stop listening. */
  close() {
    for (const [name, listener] of Object.entries(this.#listeners)) this.socket.off(name, listener);
    clearTimeout(this.#timer);
    this.#patience();
    this.#joins += 1;
    if (this.socket.connected) this.socket.emit("leave", { room: this.name });
  }

  #catchUp() {
    this.#patience();
    this.from = this.cursor;
    this.#enter(this.everLive ? "catching" : "joining");
    this.#join();
  }

  async #join() {
    clearTimeout(this.#timer);
    const attempt = ++this.#joins;
    const asked = { ...this.options, room: this.room, since: this.cursor };
    if (this.#ledger.epoch !== null) asked.epoch = this.#ledger.epoch;
    let answer;
    try {
      answer = await this.socket.timeout(ACK_WITHIN).emitWithAck("join", asked);
    } catch (error) {
      answer = { ok: false, error: { code: "no_answer", message: error.message } };
    }
    if (attempt === this.#joins) this.#answered(answer);
  }

  #answered(answer) {
    if (!answer?.ok) {
      this.#tell("refused", { error: answer?.error });
      const pause = RETRY[Math.min(this.#refusals++, RETRY.length - 1)];
      this.#timer = setTimeout(() => this.socket.connected && this.#join(), pause);
      return;
    }
    this.#refusals = 0;
    this.name = answer.room;
    const before = this.#ledger.epoch;
    this.#ledger.aim(answer.epoch, answer.offset);
    this.#tell("joined", { answer });
    if (before !== null && before !== answer.epoch) this.#forgotten(answer.epoch);
    this.#settle();
  }

  #take(frame) {
    const catching = this.state !== "live";
    const { gap, changes } = this.#ledger.take(frame);
    if (gap) return this.#ask();
    this.#patience();
    if (changes.length) this.#tell("changes", { changes, catching });
    this.#settle();
  }

  #hear(watermark) {
    if (!this.#ledger.hear(watermark)) return this.#ask();
    this.#tell("watermark", { watermark });
    this.#settle();
  }

  #restart(epoch) {
    this.#ledger.restart(epoch);
    this.#forgotten(epoch);
    this.#settle();
  }

  #forgotten(epoch) {
    this.everLive = false;
    this.from = 0;
    this.#tell("reset", { epoch });
    this.#enter("joining");
  }

  /** Something is missing: ask again from the cursor; while an answer is on its way, wait for it first. */
  #ask() {
    if (this.state === "live") this.#catchUp();
    else this.#overdue ??= setTimeout(() => this.#catchUp(), OVERDUE);
  }

  /** What came is no longer overdue. */
  #patience() {
    clearTimeout(this.#overdue);
    this.#overdue = null;
  }

  #settle() {
    if (!this.socket.connected) return;
    if (this.#ledger.ahead !== null) this.#overdue ??= setTimeout(() => this.#catchUp(), OVERDUE);
    if (this.state === "live" || !this.#ledger.complete) return;
    this.#patience();
    this.everLive = true;
    this.#enter("live");
  }

  #lose() {
    this.#joins += 1;
    clearTimeout(this.#timer);
    this.#patience();
    this.#enter("lost");
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.#tell("state", { state });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
