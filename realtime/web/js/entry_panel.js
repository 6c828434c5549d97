/** An entry: its values, how long they stand, the trend of its leading number, and its history as a diff. */
import { path } from "./api.js";
import { button, h, hidden, glyph, portalLink } from "./dom.js";
import { altered, labelOf, leadOf, moved, nameOf, othersOf, worth } from "./fields.js";
import { hms, plural, titled, when } from "./format.js";
import { fact, failed, section, stateOf } from "./panel.js";
import { explained } from "./reasons.js";
import { trend } from "./trend.js";

/** Open it: at once with what the page knows, then with its history. */
export async function openEntry(page, { source: name, key }, focus) {
  const source = page.world.sources.get(name);
  if (!source) return;
  const id = `${name}/${key}`;
  const shown = `entry:${id}`;
  const same = page.panel.open === shown;
  if (!same) draw(page, source, key, null, focus);
  try {
    const { versions } = await page.api.ask(path(["entries", name, key, "history"]));
    if (page.panel.open === shown) draw(page, source, key, versions, false);
  } catch (error) {
    if (page.panel.open === shown) draw(page, source, key, error, false);
  }
}

function draw(page, source, key, told, focus) {
  const { world, panel } = page;
  const versions = Array.isArray(told) ? told : [];
  const row = world.row(source.name, key) ?? fromHistory(versions[0]);
  const retry = () => openEntry(page, { source: source.name, key }, false);
  const { info } = source;
  const lead = leadOf(info);
  const fields = row ? othersOf(info, row.data) : [];
  const link = portalLink(row?.url, "Open at the portal ");
  panel.show(
    `entry:${source.name}/${key}`,
    [
      panel.head(row?.name ?? key, source.title, ", ", h("span", { class: "mono" }, key)),
      source.doubtful && section(null, alert(source, world.api.now())),
      row && section(null, values(page, source, row, lead, fields, versions)),
      lead && trend(info, lead, versions),
      history(info, told, versions, retry),
      (link || source.feed) && h("footer", {}, link, source.feed && noteOn(page, source, key)),
    ],
    { focus },
  );
}

const noteOn = ({ room }, source, key) => button("button end", () => room.write(source.name, `${key}: `), "Write a note");

function fromHistory(version) {
  if (!version) return null;
  const data = version.data ?? {};
  return { ...version, data, name: nameOf(version.key, data), t: Date.parse(version.at) };
}

export const alert = (source, now) =>
  h("p", { class: "alert", "data-state": source.state }, stateOf(source.state), `. ${explained(source, now)}`);

function values({ world }, source, row, lead, fields, versions) {
  const { info } = source;
  const gone = row.kind === "removed";
  const first = versions.at(-1);
  const leading = lead && lead in row.data ? worth(info, lead, row.data[lead], row.data) : null;
  const now = world.api.now();
  return h(
    "dl",
    { class: "facts" },
    leading !== null && [h("dt", {}, titled(labelOf(info, lead))), h("dd", { class: "lead" }, gone ? h("del", {}, leading) : leading)],
    fields.map((field) => fact(labelOf(info, field), worth(info, field, row.data[field]))),
    row.topic && fact("topic", row.topic),
    gone ? fact("removed", when(row.t, now)) : fact("still there", source.asOf ? `as of ${when(source.asOf, now)}` : "not confirmed yet"),
    first && fact("first seen", when(Date.parse(first.at), now)),
  );
}

function history(info, told, versions, retry) {
  if (told === null) return section("History", h("p", { class: "dim" }, "Reading its history."));
  if (!Array.isArray(told)) return failed(told, retry);
  return section(plural(versions.length, "version"), h("ol", { class: "history" }, versions.map((v) => version(info, v))));
}

const SAID = { changed: "changed", removed: "removed", corrected: "corrected" };

function version(info, v) {
  const said = SAID[v.kind] ?? (v.version > 1 ? "listed again" : "first seen");
  const lines = v.kind === "removed" ? [] : altered(info, v.data ?? {}, v.was).flatMap((change) => diff(info, v.data, change));
  const t = Date.parse(v.at);
  return h(
    "li",
    {},
    glyph(v.kind),
    h("p", {}, h("b", {}, said), h("time", { datetime: v.at }, when(t)), h("span", { class: "seq", title: "version, offset" }, `v${v.version}  #${v.offset}`)),
    v.kind === "corrected" && h("p", { class: "dim" }, "We parse it better; the portal did not change."),
    lines.length > 0 &&
      h(
        "table",
        { class: "diff", role: "table", "aria-label": `What ${said} in version ${v.version}, ${hms(t)}` },
        h("tbody", { role: "rowgroup" }, lines),
      ),
  );
}

/** One field that a version altered: minus what it was, plus what it is. */
function diff(info, data, [field, before, after]) {
  const sides = [
    before !== null && ["was", "−", before],
    after !== null && ["now", "+", after],
  ].filter(Boolean);
  const name = h("th", { scope: "row", role: "rowheader", rowspan: sides.length }, titled(labelOf(info, field)));
  return sides.map(([side, sign, value], i) =>
    h(
      "tr",
      { class: side, role: "row" },
      i === 0 && name,
      h("td", { class: "sign", role: "cell" }, h("span", { "aria-hidden": "true" }, sign), hidden(side)),
      h("td", { role: "cell" }, side === "now" && h("span", { class: "delta" }, moved(info, field, before, after)), worth(info, field, value, data)),
    ),
  );
}
