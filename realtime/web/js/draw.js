/**
 * Draws the parts that were touched, all together, at most ten times a second; hidden pages draw too, for their title.
 * While a pointer is pressed it waits: a button that was replaced under the finger would not be clicked.
 */

const APART = 100; // ms
const PRESSED = 1_000; // ms that a press may keep us waiting

export class Draw {
  #parts;
  #touched = new Set();
  #timer = null;
  #last = 0;
  #pressed = -Infinity;

  /** @param parts name -> function that draws it. */
  constructor(parts) {
    this.#parts = parts;
    addEventListener("pointerdown", () => (this.#pressed = performance.now()), true);
    for (const over of ["pointerup", "pointercancel"])
      addEventListener(over, () => setTimeout(() => (this.#pressed = -Infinity)), true); // the click comes first
  }

  /** Draw these parts soon; without names, all. */
  touch(...names) {
    for (const name of names.length ? names : Object.keys(this.#parts)) this.#touched.add(name);
    this.#timer ??= setTimeout(() => this.#turn(), Math.max(0, APART - (performance.now() - this.#last)));
  }

  #turn() {
    if (performance.now() - this.#pressed > PRESSED) return this.now();
    this.#timer = setTimeout(() => this.#turn(), APART);
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
