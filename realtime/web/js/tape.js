/**
 * The end of a source that says too much to be read whole: its newest entries, from the moment someone looks. It vouches
 * for nothing (`asOf` is null), and begins anew after a lost connection instead of catching up.
 *
 * To the page it is like a Feed; its events: `joined` {answer}, `changes` {changes}, `state` {state}, `reset`, `refused` {error}.
 */
const ACK_WITHIN = 10_000; // ms that the server has to answer a join
const AGAIN = 5_000; // ms until a join that was refused is tried again

export const LENGTH = 1_000; // entries

export class Tape extends EventTarget {
  state = "joining"; // joining | live | lost
  entries = new Map(); // key -> its newest change; the newest at the end
  asOf = null;
  #joins = 0; // counts joins, so that an answer to an older one is told from the newest
  #timer = null;
  #listeners;

  constructor(socket, room, join = {}) {
    super();
    this.socket = socket;
    this.room = room;
    this.options = { ...join };
    this.#listeners = {
      connect: () => this.#join(),
      disconnect: () => this.#enter("lost"),
      entries: (frame) => frame.room === room && this.#take(frame.changes),
    };
    for (const [name, listener] of Object.entries(this.#listeners)) socket.on(name, listener);
    if (socket.connected) this.#join();
  }

  /** Join with other fields from now on. */
  rejoin(fields) {
    Object.assign(this.options, fields);
    if (this.socket.connected) this.#join();
  }

  /** Leave the room and stop listening. */
  close() {
    for (const [name, listener] of Object.entries(this.#listeners)) this.socket.off(name, listener);
    clearTimeout(this.#timer);
    this.#joins += 1;
    if (this.socket.connected) this.socket.emit("leave", { room: this.room });
  }

  async #join() {
    clearTimeout(this.#timer);
    const attempt = ++this.#joins;
    const asked = { ...this.options, room: this.room };
    const unanswered = { ok: false, error: { code: "no_answer", message: "The server did not answer." } };
    const answer = await this.socket.timeout(ACK_WITHIN).emitWithAck("join", asked).catch(() => unanswered);
    if (attempt !== this.#joins) return;
    if (!answer.ok) {
      this.#timer = setTimeout(() => this.socket.connected && this.#join(), AGAIN);
      return this.#tell("refused", { error: answer.error });
    }
    if (this.state === "lost") this.#forget();
    this.#tell("joined", { answer });
    this.#enter("live");
  }

  #take(changes) {
    for (const change of changes) {
      this.entries.delete(change.key);
      if (change.kind !== "removed") this.entries.set(change.key, change);
    }
    const oldest = this.entries.keys();
    while (this.entries.size > LENGTH) this.entries.delete(oldest.next().value);
    const kept = changes.filter((change) => this.entries.get(change.key) === change);
    if (kept.length) this.#tell("changes", { changes: kept });
  }

  #forget() {
    this.entries.clear();
    this.#tell("reset", {});
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
