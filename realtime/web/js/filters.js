/** Kinds, words, order, and how many entries that leaves; and what stands where nothing is left. */
import { $, button, glyph, h, redraw } from "./dom.js";
import { KIND, hms, number, plural, when } from "./format.js";
import { roomTitle } from "./place.js";
import { sortChoices, sortWords } from "./table_head.js";
import { topWords } from "./top.js";

const KINDS = ["all", "new", "changed", "removed"];

export function drawFilters(page) {
  const { view, table } = page;
  redraw($("kinds"), view.kind, KINDS.map((kind) => kindButton(page, kind)));
  const columns = view.route.room ? table.columns : null;
  $("sort-field").hidden = !columns;
  if (columns) redraw($("sort"), JSON.stringify([columns, view.sort]), sortChoices(columns, view.sort));
  drawTally(page);
  drawBlank(page);
}

const kindButton = ({ view, filter }, kind) =>
  h(
    "button",
    { type: "button", "aria-pressed": String(view.kind === kind), onclick: () => filter({ kind }) },
    kind === "all" ? "All" : [glyph(kind), KIND[kind]],
  );

function drawTally(page) {
  const { view, table, line, sortBy } = page;
  const tally = $("tally");
  if (line.state === "joining" || line.state === "reset") return redraw(tally, "", []);
  const total = present(page);
  const entries = plural(total, "entry", "entries");
  if (view.sort && table.columns) {
    const field = sortWords(table.columns, view.sort);
    const order = view.top ? topWords(view.top.length, field, view.sort.down) : `By ${field}`;
    const words = `${order}, as of ${hms(table.frozenAt)} `;
    return redraw(tally, words, words, button("text", () => sortBy(null), "Back to newest"));
  }
  const sources = page.world.sources.size;
  const quiet = page.world.sources.get(view.route.room)?.quiet;
  if (quiet && !view.filtered) return redraw(tally, "newest", "newest entries");
  const words = view.filtered ? `${number(table.matched)} of ${entries} match` : view.route.room ? entries : `${entries}, ${plural(sources, "source")}`;
  return redraw(tally, words, words);
}

function present({ world, view }) {
  const { room, topic } = view.route;
  if (topic !== null) return [...world.rows.values()].filter((row) => row.kind !== "removed" && view.inRoom(row)).length;
  const here = room === null ? world.list.filter((source) => !source.quiet) : world.list.filter((source) => source.name === room);
  return here.reduce((n, source) => n + source.present, 0);
}

function drawBlank(page) {
  const { view, table, line, world } = page;
  const blank = $("blank");
  blank.hidden = line.blind || table.matched > 0;
  if (blank.hidden) return;
  const place = view.route.room ? roomTitle(world, view.route) : "any source";
  const source = world.sources.get(view.route.room);
  const [title, words, more] = view.filtered ? nothingMatches(page, place) : nothingYet(world, source, place);
  redraw(blank, title + words, h("h2", {}, title), h("p", {}, words), more);
}

function nothingMatches(page, place) {
  const { view, filter } = page;
  const title = view.words.length ? `Nothing in ${place} matches “${view.words.join(" ")}”` : `No ${view.kind} entries in ${place}`;
  const clear = () => {
    $("search").value = "";
    filter({ kind: "all", words: "" });
    $("search").focus();
  };
  const hides = `${plural(present(page), "entry", "entries")} are outside the filter. New ones that match appear here.`;
  return [title, hides, button("button", clear, "Clear the filter")];
}

function nothingYet(world, source, place) {
  if (!world.sources.size)
    return ["No source has delivered yet", "Start the scheduler, or run a scraper by hand. Sources and entries appear here by themselves; you need not reload."];
  if (!source) return ["No entries", "Entries appear here the moment a source delivers; you need not reload."];
  const next = source.info.next_run ? `Its ${source.state === "waiting" ? "first" : "next"} run is at ${when(Date.parse(source.info.next_run))}. ` : "";
  const title = source.state === "waiting" ? `${place} has delivered nothing yet` : `${place} has no entries now`;
  return [title, `${next}Entries appear here the moment it delivers; you need not reload.`];
}
