/** What opens beside the table. One thing at a time; the focus goes back to where it was when it closes. */
import { $, button, glyph, h, hidden, set } from "./dom.js";
import { titled } from "./format.js";

export class Panel {
  open = null; // what is shown: a name that stays the same while the same thing is shown
  #opener = null;

  constructor(onclose) {
    this.onclose = onclose;
  }

  /** Show `kids` as `name`. The same name again replaces what it held, without moving anything. */
  show(name, kids, { focus = false } = {}) {
    const same = this.open === name;
    const node = $("panel");
    if (this.open === null) this.#opener = document.activeElement;
    this.open = name;
    const at = same ? node.scrollTop : 0;
    const inside = "h2, a, button, summary";
    const held = same && node.contains(document.activeElement) ? [...node.querySelectorAll(inside)].indexOf(document.activeElement) : -1;
    set(node, kids);
    node.hidden = false;
    node.scrollTop = at;
    if (held >= 0) node.querySelectorAll(inside)[held]?.focus();
    else if (focus) node.querySelector("h2")?.focus();
  }

  /** Close without a word: another view took its place. */
  drop() {
    this.open = null;
    $("panel").hidden = true;
    set($("panel"));
  }

  /** Close, and give the focus back. */
  close() {
    const opener = this.#opener;
    this.drop();
    this.onclose(opener);
  }

  head(title, ...about) {
    return h(
      "header",
      {},
      h("h2", { tabindex: "-1" }, title),
      button("quiet", () => this.close(), glyph("close"), hidden("Close")),
      h("p", {}, ...about),
    );
  }
}

export const section = (title, ...kids) => h("section", {}, title && h("h3", {}, title), ...kids);

export const fact = (name, ...value) => [h("dt", {}, titled(name)), h("dd", {}, ...value)];

export const stateOf = (state, words = state) => h("span", { class: "state", "data-state": state }, glyph(state), ` ${words}`);

/** A panel whose content could not be had. */
export const failed = (error, again) => section(null, h("p", {}, `${error.message} `, button("text", again, "Try again")));
