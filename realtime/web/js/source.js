/** One source as the page knows it: how it is configured, what its watermark says, and its feed. */

export const DOUBT = ["failing", "suspect", "stale"]; // worst first

export class Source {
  feed = null; // the Feed of its room, of a quiet source a Tape, or null while nobody looks
  followedAt = null; // ms since when its room is followed
  knownFrom = Infinity; // ms of the oldest that we know it told

  /** @param info an object of GET /api/sources. */
  constructor(info) {
    this.info = info;
    this.heard = null; // the newest watermark, vouched for or not
    this.resetting = false;
    this.refusal = null; // the server's words when it does not let us join
  }

  get name() {
    return this.info.name;
  }

  get title() {
    return this.info.title || this.info.name;
  }

  get state() {
    return this.heard?.state ?? this.info.state ?? "waiting";
  }

  /** True when it says so much that only those who open its room follow it. */
  get quiet() {
    return this.info.quiet === true;
  }

  /** ms up to which nothing is missing here, or null; of a quiet source, at the server. */
  get asOf() {
    const asOf = this.quiet ? this.heard?.as_of : this.feed.asOf;
    return asOf ? Date.parse(asOf) : null;
  }

  get present() {
    return this.quiet ? (this.info.present ?? 0) : this.feed.entries.size;
  }

  /** ms of the first that is known of it; before that nobody vouches for anything. */
  get firstKnown() {
    if (this.quiet) return this.followedAt ?? Infinity;
    const first = this.runs.find((run) => run.state === "complete");
    return Math.min(this.knownFrom, first ? Date.parse(first.started) : Infinity);
  }

  get doubtful() {
    return DOUBT.includes(this.state);
  }

  /** The last runs, oldest first. */
  get runs() {
    return this.info.runs ?? [];
  }
}

/** Sources in doubt, worst first. */
export const worstFirst = (sources) =>
  sources.filter((source) => source.doubtful).sort((a, b) => DOUBT.indexOf(a.state) - DOUBT.indexOf(b.state));
