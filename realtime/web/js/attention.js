/** Whether someone reads the table: then nothing in it may move. */
import { $ } from "./dom.js";

const POINTED = 4_000; // ms that a moved pointer counts

export class Attention {
  #pointed = -Infinity;

  constructor() {
    const moved = (event) => event.pointerType === "mouse" && (this.#pointed = performance.now());
    $("rows").addEventListener("pointermove", moved, { passive: true });
    $("rows").addEventListener("pointerleave", () => (this.#pointed = -Infinity));
  }

  /** Scrolled down, pointing at rows, selecting in them, or with the focus in one. */
  get here() {
    const selection = getSelection();
    return (
      $("stream").scrollTop > 4 ||
      performance.now() - this.#pointed < POINTED ||
      (!selection.isCollapsed && $("rows").contains(selection.anchorNode)) ||
      $("rows").contains(document.activeElement)
    );
  }

  /** The reader asked for the newest: whatever they were doing is over. */
  release() {
    this.#pointed = -Infinity;
    if ($("rows").contains(document.activeElement)) document.activeElement.blur();
    getSelection().removeAllRanges();
    $("stream").scrollTop = 0;
  }
}
