/** A held batch: what a run would remove, beside the usual run, and the two ways on, which weigh the same. */
import { path } from "./api.js";
import { button, h, hidden, set } from "./dom.js";
import { nameOf, show } from "./fields.js";
import { number, plural, when } from "./format.js";
import { failed, section, stateOf } from "./panel.js";
import { took } from "./reasons.js";

const FIRST = 6; // missing entries named at once

export async function openHeld(page, name) {
  const { panel, world, api } = page;
  const source = world.sources.get(name);
  if (!source) return;
  const shown = `held:${name}`;
  panel.show(shown, [panel.head("Held batch", source.title), section(null, h("p", { class: "dim" }, "Reading the batch."))], { focus: true });
  try {
    const { holds } = await api.ask(path(["holds"], { source: name }));
    if (panel.open === shown) panel.show(shown, holds.length ? held(page, source, holds[0]) : none(page, source));
  } catch (error) {
    if (panel.open === shown) panel.show(shown, [panel.head("Held batch", source.title), failed(error, () => openHeld(page, name))]);
  }
}

const none = ({ panel }, source) => [panel.head("Held batch", source.title), section(null, h("p", {}, "No batch is held now: someone decided, or a later run did."))];

function held(page, source, hold) {
  const { present, seen, missing_count: lost } = hold;
  const share = Math.round((lost / Math.max(1, present)) * 100);
  const kept = present - lost;
  return [
    page.panel.head("Held batch", stateOf(source.state, source.title), `, run of ${when(Date.parse(hold.as_of), page.api.now())}`),
    section(
      null,
      h(
        "p",
        {},
        `This run said it was complete and saw ${number(seen)} entries; ${number(present)} were present. It would remove ${number(lost)}, or ${share} %; `,
        `the limit for this source is ${Math.round(hold.hold_above * 100)} %. `,
        h("strong", {}, "Nothing was removed."),
      ),
      again(page, hold),
      h(
        "div",
        { class: "meter", role: "img", "aria-label": `${kept} of ${plural(present, "entry", "entries")} seen, ${lost} missing` },
        h("i", { class: "kept", style: { "flex-grow": kept } }),
        h("i", { class: "lost", style: { "flex-grow": lost } }),
      ),
      h("p", { class: "key" }, h("span", {}, `${number(kept)} seen`), h("span", {}, `${number(lost)} missing`)),
    ),
    section("Does it look like a broken run?", evidence(hold)),
    section(`Would be removed, ${Math.min(FIRST, lost)} of ${number(lost)}`, ...vanishing(hold)),
    decision(page, source, hold),
  ];
}

/** Of several held runs, what all of them missed is what goes. */
const again = ({ api }, { at, as_of: began }) =>
  Date.parse(began) > Date.parse(at) && h("p", {}, `Runs since ${when(Date.parse(at), api.now())} are held; what all of them missed would be removed.`);

function evidence({ run, usual, by_topic: topics, seen }) {
  const line = (name, now, before) =>
    h(
      "tr",
      { role: "row" },
      h("th", { scope: "row", role: "rowheader" }, name),
      h("td", { class: `num ${before && now < before / 2 ? "odd" : ""}`, role: "cell" }, now === null ? "–" : show(now)),
      h("td", { class: "num", role: "cell" }, before === null || before === undefined ? "–" : show(before)),
    );
  const tenths = (n) => (n === null || n === undefined ? null : Math.round(n * 10) / 10);
  const column = (words, i) => h("th", { scope: "col", role: "columnheader", class: i ? "num" : "" }, words);
  return h(
    "table",
    { class: "evidence", role: "table", "aria-label": "This run beside the usual run" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, [hidden("Measure"), "This run", "Usual"].map(column))),
    h(
      "tbody",
      { role: "rowgroup" },
      line("Pages read", run?.pages ?? null, tenths(usual?.pages)),
      line("Seconds taken", run ? tenths(took(run)) : null, tenths(usual?.seconds)),
      line("Entries seen", seen, tenths(usual?.seen)),
      Object.entries(topics ?? {}).map(([topic, of]) => line(`In ${topic || "no topic"}`, of.seen, of.present)),
    ),
  );
}

function vanishing({ missing, missing_count: lost }) {
  const item = ({ key, data }) => h("li", {}, h("span", { class: "mono" }, key), h("span", {}, nameOf(key, data)));
  const list = h("ul", { class: "vanish" }, missing.slice(0, FIRST).map(item));
  const all = button("text", () => (set(list, missing.map(item)), all.remove()), lost > missing.length ? `Show the first ${missing.length}` : `Show all ${lost}`);
  return [list, missing.length > FIRST && all];
}

/** Neither way is the default; removing asks once more, with the focus on keeping. */
function decision(page, source, hold) {
  const footer = h("footer", {});
  const lost = number(hold.missing_count);
  const rest = () =>
    set(
      footer,
      button("button", () => decide(page, source, hold, "discard"), "Discard the batch"),
      button("button", ask, `Approve ${lost} removals`),
      h("p", { class: "dim" }, `Until then readers see all ${plural(hold.present, "entry", "entries")}, marked suspect.`),
    );
  const ask = () => {
    const keep = button("button", rest, "Keep them");
    set(
      footer,
      h("p", {}, h("strong", {}, `Remove ${plural(hold.missing_count, "entry", "entries")} for everyone who follows this room?`)),
      button("button", () => decide(page, source, hold, "approve"), `Yes, remove ${lost}`),
      keep,
    );
    keep.focus();
  };
  rest();
  return footer;
}

async function decide(page, source, hold, way) {
  try {
    const { removed } = await page.api.ask(path(["holds", hold.id, way]), { method: "POST" });
    page.panel.close();
    const done = way === "approve" ? `Approved: ${plural(removed, "entry", "entries")} removed.` : "Discarded: all entries stay. The next complete run decides.";
    page.tell.toast(`${source.title}. ${done}`);
    page.world.load();
  } catch (error) {
    page.tell.toast(error.message);
    openHeld(page, source.name); // another question may have taken its place
  }
}
