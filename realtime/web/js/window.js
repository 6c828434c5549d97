/**
 * A long list in a scrolling box: only the rows in sight exist. Every row has the same height, so that which ones they
 * are is arithmetic, at 50,000 as at 50.
 */
import { h } from "./dom.js";

const BEYOND = 12; // rows drawn above and below what is in sight

export class Window {
  items = []; // what there is, in order
  #nodes = new Map(); // name of an item -> {node, print}
  #above = spacer();
  #below = spacer();

  /**
   * @param box the scrolling element. @param body the tbody. @param height() of a row in px.
   * @param make {name(item), print(item, index), node(item, index)}: an item's node is made anew when its print differs.
   */
  constructor(box, body, height, make) {
    Object.assign(this, { box, body, height, make });
  }

  /** Index of the first row in sight. */
  get top() {
    return Math.floor(this.box.scrollTop / this.height());
  }

  /** Index of the first row that is mostly in sight. */
  get upper() {
    return Math.round(this.box.scrollTop / this.height());
  }

  /** The items that are wholly in sight. */
  get inSight() {
    const [tall, head] = [this.height(), this.body.offsetTop];
    const first = Math.ceil(this.box.scrollTop / tall);
    return this.items.slice(first, Math.floor((this.box.scrollTop + this.box.clientHeight - head) / tall));
  }

  node(name) {
    return this.#nodes.get(name)?.node;
  }

  /** Put into the body what is in sight now. */
  paint() {
    const tall = this.height();
    const first = Math.max(0, Math.min(this.top, this.items.length) - BEYOND);
    const last = Math.min(this.items.length, first + Math.ceil(this.box.clientHeight / tall) + 2 * BEYOND);
    const focused = this.body.contains(document.activeElement) ? document.activeElement.closest("tr") : null;
    const held = focused && [...this.#nodes].find(([, { node }]) => node === focused)?.[0];
    const wanted = new Map();
    for (let i = first; i < last; i++) {
      const made = this.#made(this.items[i], i);
      made.node.setAttribute("aria-rowindex", i + 2); // the head is row 1
      wanted.set(this.make.name(this.items[i]), made);
    }
    this.#nodes = wanted;
    this.#put([...wanted.values()].map(({ node }) => node));
    stretch(this.#above, first * tall);
    stretch(this.#below, (this.items.length - last) * tall);
    if (held && !this.body.contains(document.activeElement)) this.#refocus(held);
  }

  /** Forget all nodes: the next paint makes them anew. */
  clear() {
    this.#nodes = new Map();
    this.body.replaceChildren();
  }

  /** Scroll so that the item at `index` can be seen, and have it drawn. */
  reveal(index) {
    const [tall, head] = [this.height(), this.body.offsetTop];
    const [from, to] = [this.box.scrollTop, this.box.scrollTop + this.box.clientHeight - head];
    if (index * tall < from) this.box.scrollTop = index * tall;
    else if ((index + 1) * tall > to) this.box.scrollTop += (index + 1) * tall - to;
    this.paint();
  }

  #made(item, index) {
    const print = this.make.print(item, index);
    const had = this.#nodes.get(this.make.name(item));
    if (had?.print === print) return had;
    return { node: this.make.node(item, index), print };
  }

  #put(nodes) {
    const wanted = new Set(nodes);
    for (const child of [...this.body.children]) if (!wanted.has(child)) child.remove();
    let at = this.body.firstChild;
    for (const node of nodes) {
      if (node === at) at = at.nextSibling;
      else this.body.insertBefore(node, at);
    }
    this.body.prepend(this.#above);
    this.body.append(this.#below);
  }

  /** The row in focus was replaced, or scrolled out of sight: keep the focus in the table. */
  #refocus(name) {
    const button = this.#nodes.get(name)?.node.querySelector("button");
    if (button) button.tabIndex = 0;
    (button ?? this.box).focus({ preventScroll: true });
  }
}

const spacer = () => h("tr", { class: "space", "aria-hidden": "true" }, h("td", {}));

function stretch(node, height) {
  node.hidden = height <= 0;
  node.firstChild.style.setProperty("block-size", `${height}px`);
}
