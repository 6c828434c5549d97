/** What is said aloud and what pops up: arrivals in sum, the line at once. */
import { $, say } from "./dom.js";
import { list, plural } from "./format.js";

const EVERY = 15_000; // ms between sums
const TOAST = 6_000;

export class Tell {
  #heard = new Map(); // kind -> how many
  #timer = null;

  constructor() {
    setInterval(() => this.#sum(), EVERY);
  }

  /** Rows arrived. */
  arrived(rows) {
    for (const { kind } of rows) this.#heard.set(kind, (this.#heard.get(kind) ?? 0) + 1);
  }

  /** A note came. */
  noted() {
    this.#heard.set("note", (this.#heard.get("note") ?? 0) + 1);
  }

  toast(words) {
    say($("toast"), words);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => say($("toast"), ""), TOAST);
  }

  /** The line was lost or is back: at once. */
  alarm(words) {
    say($("alarm"), words);
  }

  #sum() {
    const words = [...this.#heard].map(([kind, n]) => (kind === "note" ? plural(n, "note") : `${n} ${kind}`));
    this.#heard.clear();
    if (words.length) say($("announce"), `${list(words)} in the last 15 seconds.`);
  }
}
