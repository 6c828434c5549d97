/** One source for the person who looks after it: what readers see, what went wrong, its last runs, how it is configured. */
import { button, h, portalLink } from "./dom.js";
import { alert } from "./entry_panel.js";
import { hms, number, plural, when } from "./format.js";
import { fact, section, stateOf } from "./panel.js";
import { doubtOf, outcome, schedule, took } from "./reasons.js";
import { address } from "./route.js";

const RUNS = 10;

export function openSource(page, name, focus) {
  const { world, panel } = page;
  const source = world.sources.get(name);
  if (!source) return;
  const now = world.api.now();
  const { info, state } = source;
  const seen = source.asOf === null ? "" : ` as of ${when(source.asOf, now)}`;
  panel.show(
    `source:${name}`,
    [
      panel.head(source.title, h("span", { class: "mono" }, name)),
      section(
        null,
        source.doubtful ? alert(source, now) : h("p", {}, stateOf(state, state === "fresh" ? `fresh, complete${seen}` : "waiting for its first run")),
        source.doubtful && h("p", { class: "dim after" }, `Readers see ${plural(source.present, "entry", "entries")}${seen}, marked ${state}.`),
      ),
      said(source),
      source.runs.length > 0 && section("Last runs", h("ol", { class: "outcomes" }, source.runs.slice(-RUNS).reverse().map((run) => line(run, source, now)))),
      section("Configured", configured(info, now)),
      h(
        "footer",
        {},
        info.hold && button("button", () => page.held(name), "Review the batch"),
        info.rejected > 0 && h("a", { href: address({ view: "health", source: name, part: "rejected" }) }, plural(info.rejected, "rejected entry", "rejected entries")),
        h("a", { href: address({ room: name }), class: "end" }, "See its entries"),
      ),
    ],
    { focus },
  );
}

/** The words of the last run that failed, as the scraper said them. */
function said(source) {
  const fault = source.runs.findLast((run) => run.state !== "running")?.fault;
  if (!fault) return null;
  const where = fault.page && portalLink(fault.page, "The page it looked at ");
  return section(
    "What the scraper said",
    h("p", { class: "says" }, `${fault.code}: ${fault.message}`),
    where && h("p", { class: "after" }, where),
    fault.saved && h("p", { class: "dim after" }, "It kept what it saw: ", h("span", { class: "mono" }, fault.saved)),
  );
}

function line(run, source, now) {
  const seconds = took(run);
  const state = doubtOf(run, source);
  const started = Date.parse(run.started);
  return h(
    "li",
    { "data-state": state },
    h("time", { datetime: run.started }, now - started < 43_200_000 ? hms(started) : when(started, now)),
    h("span", { class: "took" }, seconds === null ? "" : `${number(seconds, 1)} s`),
    h("span", { class: state === "fresh" ? "" : "bad", title: outcome(run) }, outcome(run)),
  );
}

function configured(info, now) {
  const { removal } = info;
  return h(
    "dl",
    { class: "facts" },
    fact("schedule", schedule(info) || "by hand"),
    info.next_run && fact("next run", when(Date.parse(info.next_run), now)),
    info.expect && fact("expects", info.expect),
    removal && fact("removal", `after ${plural(removal.misses, "miss", "misses")}, held above ${Math.round(removal.hold_above * 100)} %`),
  );
}
