/** Rejected entries, each with its reason and what was sent. */
import { path } from "./api.js";
import { button, h } from "./dom.js";
import { when } from "./format.js";
import { failed, section } from "./panel.js";

const PAGE = 30;

/** @param name of a source, or null for all. */
export async function openLetters(page, name, focus) {
  const { panel, world } = page;
  const shown = `letters:${name ?? ""}`;
  const title = name === null ? "All sources" : (world.sources.get(name)?.title ?? name);
  const head = () => panel.head("Rejected entries", title);
  const list = h("ol", { class: "letters" });
  const more = h("div", {});
  const read = async (after) => {
    const { dead_letters: letters, next } = await page.api.ask(path(["dead-letters"], { source: name, limit: PAGE, after }));
    list.append(...letters.map((one) => letter(one, world, name === null)));
    more.replaceChildren(...(next === null ? [] : [button("text", () => read(next).catch((error) => page.tell.toast(error.message)), "Show older ones")]));
    return letters.length;
  };
  if (panel.open !== shown) panel.show(shown, [head(), section(null, h("p", { class: "dim" }, "Reading them."))], { focus });
  try {
    const n = await read(null);
    if (panel.open !== shown) return;
    const words = "These were not stored; their neighbours were. Each is kept as it came.";
    panel.show(shown, [head(), n === 0 ? section(null, h("p", {}, "No entry was rejected.")) : section(null, h("p", { class: "dim" }, words), list, more)]);
  } catch (error) {
    if (panel.open === shown) panel.show(shown, [head(), failed(error, () => openLetters(page, name, false))]);
  }
}

function letter({ key, error, at, payload, source }, world, all) {
  return h(
    "li",
    {},
    h("p", {}, h("b", { class: "mono" }, key ?? "no key"), h("time", { datetime: at }, when(Date.parse(at)))),
    all && h("p", { class: "dim" }, world.sources.get(source)?.title ?? source),
    h("p", {}, error),
    h("details", {}, h("summary", {}, "What was sent"), h("pre", { class: "says", tabindex: "0" }, typeof payload === "string" ? payload : JSON.stringify(payload, null, 2))),
  );
}
