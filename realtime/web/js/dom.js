/** Small pieces of page. All text goes in as text, never as HTML. */

export const $ = (id) => document.getElementById(id);

const given = (kids) => kids.flat(Infinity).filter((kid) => kid !== null && kid !== undefined && kid !== false);

/** An element; properties that begin with "on" are listeners, `style` is an object of custom or plain properties. */
export function h(tag, props = {}, ...kids) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [property, setting] of Object.entries(value)) node.style.setProperty(property, setting);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...given(kids));
  return node;
}

export function svg(tag, props = {}, ...kids) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(props)) if (value !== undefined) node.setAttribute(name, value);
  node.append(...given(kids));
  return node;
}

export const set = (node, ...kids) => node.replaceChildren(...given(kids));

export const say = (node, words) => {
  if (node.textContent !== words) node.textContent = words;
};

/** The drawing of a state or a kind; its word stands beside it. */
export const glyph = (name) => svg("svg", { class: "glyph", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));

/** Words for those who listen. */
export const hidden = (words) => h("span", { class: "vh" }, words);

export const button = (cls, onclick, ...kids) => h("button", { class: cls, type: "button", onclick }, ...kids);

/** A link to a portal, or nothing: only http and https are followed. */
export function portalLink(url, ...kids) {
  if (!url || !/^https?:\/\//i.test(url)) return null;
  return h("a", { href: url, rel: "noreferrer", target: "_blank" }, ...kids, glyph("out"));
}

/** Replace what `node` holds only when `print` says that it would look different; keeps the focus where it was. */
export function redraw(node, print, ...kids) {
  if (node.dataset.print === print) return;
  node.dataset.print = print;
  const inside = "a, button";
  const at = node.contains(document.activeElement) ? [...node.querySelectorAll(inside)].indexOf(document.activeElement) : -1;
  set(node, ...kids);
  if (at >= 0) node.querySelectorAll(inside)[at]?.focus();
}
