/** Draws the parts that were touched, all together, at most ten times a second; hidden pages draw too, for their title. */

const APART = 100; // ms

export class Draw {
  #parts;
  #touched = new Set();
  #timer = null;
  #last = 0;

  /** @param parts name -> function that draws it. */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Draw these parts soon; without names, all. */
  touch(...names) {
    for (const name of names.length ? names : Object.keys(this.#parts)) this.#touched.add(name);
    this.#timer ??= setTimeout(() => this.now(), Math.max(0, APART - (performance.now() - this.#last)));
  }

  /** Draw what was touched at once. */
  now() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#last = performance.now();
    const touched = this.#touched;
    this.#touched = new Set();
    for (const [name, draw] of Object.entries(this.#parts)) if (touched.has(name)) draw();
  }
}
