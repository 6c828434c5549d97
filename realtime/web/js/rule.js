/**
 * The rule of the feed, on its own: no socket, no page.
 *
 * A frame covers the offsets (after, upto] of its room's source. If `after` is at or before the cursor, the changes
 * beyond the cursor are taken and the cursor moves to `upto`; if `after` lies beyond the cursor, something is missing
 * and nothing may be taken. Frames may therefore come twice, late or in any order.
 */
export class Ledger {
  constructor() {
    this.epoch = null;
    this.restart(null);
  }

  /** Drop everything: the offsets start anew, in the life `epoch` (null: whichever comes first). */
  restart(epoch) {
    if (epoch !== this.epoch) this.target = null;
    this.epoch = epoch;
    this.cursor = 0;
    this.entries = new Map(); // key -> its newest change, present entries only
    this.mark = null; // the last watermark we can vouch for: its `upto` is not beyond the cursor
    this.ahead = null; // a watermark we cannot vouch for yet
  }

  /**
   * A frame {epoch, after, upto, changes} arrives.
   *
   * Returns {gap, changes}: `gap` when something before it is missing (ask again from the cursor), `changes` those
   * that are news here, their `kind` told from where this ledger stood.
   */
  take(frame) {
    this.epoch ??= frame.epoch;
    if (frame.epoch !== this.epoch || frame.after > this.cursor) return { gap: true, changes: [] };
    const fresh = this.#whole(frame.changes.filter((change) => change.offset > this.cursor).sort((a, b) => a.offset - b.offset));
    if (fresh === null) return { gap: true, changes: [] };
    const changes = fresh.map((change) => this.#apply(change)).filter(Boolean);
    if (frame.upto > this.cursor) this.cursor = frame.upto;
    this.#vouch();
    return { gap: false, changes };
  }

  /** A watermark arrives. Returns true when it is taken, now or as soon as the cursor reaches it; false: a foreign life. */
  hear(watermark) {
    this.epoch ??= watermark.epoch;
    if (watermark.epoch !== this.epoch) return false;
    if (!this.ahead || watermark.upto >= this.ahead.upto) this.ahead = watermark;
    this.#vouch();
    return true;
  }

  /** The server says where the room's head is: reaching it is being caught up. */
  aim(epoch, offset) {
    if (this.epoch !== null && epoch !== this.epoch) this.restart(epoch);
    this.epoch = epoch;
    this.target = offset;
  }

  /** True when nothing that the server has told of is missing. */
  get complete() {
    const reached = this.target === null ? this.mark !== null : this.cursor >= this.target;
    return reached && this.ahead === null;
  }

  #vouch() {
    if (!this.ahead || this.ahead.upto > this.cursor) return;
    if (!this.mark || this.ahead.upto >= this.mark.upto) this.mark = this.ahead;
    this.ahead = null;
  }

  /** The changes with their data whole; null when a delta does not build on the version that is here. */
  #whole(fresh) {
    const newest = new Map();
    const whole = [];
    for (const change of fresh) {
      const held = newest.get(change.key) ?? this.entries.get(change.key);
      if (change.delta && held?.version !== change.version - 1) return null;
      newest.set(change.key, change.delta ? rebuilt(held, change) : change);
      whole.push(newest.get(change.key));
    }
    return whole;
  }

  /** Where a client stands may differ from where the frame's sender thought it stood. */
  #apply(change) {
    const known = this.entries.has(change.key);
    if (change.kind === "removed") {
      this.entries.delete(change.key);
      return known ? change : null;
    }
    this.entries.set(change.key, change);
    if (!known) return change.kind === "new" ? change : { ...change, kind: "new" };
    return change.kind === "new" ? { ...change, kind: "changed" } : change;
  }
}

function rebuilt(held, change) {
  const data = { ...held.data, ...change.delta };
  for (const field of change.gone) delete data[field];
  return { ...change, data };
}
