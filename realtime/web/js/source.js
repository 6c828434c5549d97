/** One source as the page knows it: how it is configured, what its watermark says, and its feed. */

export const DOUBT = ["failing", "suspect", "stale"]; // worst first

export class Source {
  /** @param info an object of GET /api/sources. @param feed the Feed of the source's room. */
  constructor(info, feed) {
    this.info = info;
    this.feed = feed;
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

  /** ms up to which nothing is missing here, or null. */
  get asOf() {
    return this.feed.asOf === null ? null : Date.parse(this.feed.asOf);
  }

  get present() {
    return this.feed.entries.size;
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
