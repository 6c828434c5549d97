/** The sources, worst first: as of when, the last run, forty runs, rejected, when the next one comes. */
import { $, button, glyph, h, hidden, redraw, svg } from "./dom.js";
import { number, plural, when } from "./format.js";
import { claim } from "./claim.js";
import { doubtful } from "./place.js";
import { doubtOf, outcome, reason, schedule, took } from "./reasons.js";
import { DOUBT } from "./source.js";
import { address } from "./route.js";

const RUNS = 40;
const WIDE = 4.5; // px a run takes

export function drawHealth(page) {
  drawTop(page);
  const doubt = doubtful(page.world);
  const order = [...doubt, ...page.world.list.filter((source) => !doubt.includes(source))];
  const now = page.world.api.now();
  const print = JSON.stringify(order.map(({ info, state, asOf, present }) => [info, state, asOf, present])) + page.panel.open;
  redraw($("health-rows"), print, order.map((source) => sourceRow(page, source, now)));
}

function drawTop({ world, line, ...page }) {
  const doubt = doubtful(world);
  const fresh = world.list.filter((source) => source.state === "fresh").length;
  const down = line.state === "live" ? null : claim({ world, line, ...page });
  redraw($("health-claim"), down?.head ?? `${fresh} ${world.sources.size}`, down ? down.head : `${fresh} of ${plural(world.sources.size, "source")} fresh`);
  const by = [...DOUBT, "waiting"].map((state) => [world.list.filter((source) => source.state === state).length, state]).filter(([n]) => n);
  const running = world.list.filter((source) => source.runs.at(-1)?.state === "running").length;
  const told = down ? down.caveat : [by.length ? tally(by) : "All fresh", running ? `. ${plural(running, "run")} under way` : "", "."];
  redraw($("health-caveat"), JSON.stringify([down?.head, down?.caveat.map(String), doubt.length, by, running]), world.sources.size || down ? told : "No source is known yet.");
  const rejected = world.list.reduce((n, source) => n + (source.info.rejected ?? 0), 0);
  redraw(
    $("health-news"),
    String(rejected),
    h("strong", { class: "none" }, `${number(rejected)} rejected`),
    h("span", {}, "entries in 24 hours ", rejected > 0 && h("a", { href: address({ view: "health", part: "rejected" }) }, "See why")),
  );
}

const tally = (by) => by.map(([n, state], i) => [i ? ", " : "", h("span", { class: "state", "data-state": state }, glyph(state), ` ${n} ${state}`)]);

function sourceRow(page, source, now) {
  const { info, state, name, title, asOf, runs } = source;
  const td = (cls, ...kids) => h("td", { class: cls, role: "cell" }, ...kids);
  const go = (event) => {
    event.stopPropagation();
    location.hash = address({ view: "health", source: name });
  };
  const last = runs.findLast((run) => run.state !== "running");
  return h(
    "tr",
    { role: "row", "data-name": name, "data-state": state, "aria-current": page.panel.open === `source:${name}` ? "true" : null, onclick: go },
    td("h-source", glyph(state), button("open", go, title), h("small", {}, h("span", { class: state === "fresh" ? "" : "state" }, reason(source, now)))),
    td(`h-asof ${source.doubtful ? "late" : ""}`, h("span", { class: "from" }, "as of "), asOf === null ? "–" : when(asOf, now)),
    td("h-last", last ? lastRun(last, now) : "none yet"),
    td("h-runs", spark(source)),
    td("h-num num", rejected(source)),
    td("h-every", schedule(info) || "by hand"),
    td("h-next", h("span", { class: "from" }, "next run "), next(info, runs, now)),
  );
}

function lastRun(run, now) {
  const seconds = took(run);
  return `${when(Date.parse(run.started), now)}, ${seconds === null ? "" : `took ${number(seconds, 1)} s, `}${outcome(run)}`;
}

function next(info, runs, now) {
  if (runs.at(-1)?.state === "running") return "under way";
  return info.next_run ? when(Date.parse(info.next_run), now) : "not planned";
}

function rejected({ info, name, title }) {
  if (!info.rejected) return h("span", { class: "dim" }, "0");
  const href = address({ view: "health", source: name, part: "rejected" });
  return h("a", { href, onclick: (event) => event.stopPropagation() }, number(info.rejected), hidden(` rejected in ${title}`));
}

/** Forty runs: height is entries seen; one that was not complete is a tinted column. */
function spark(source) {
  const ended = source.runs.filter((run) => run.state !== "running").slice(-RUNS);
  const bad = ended.filter((run) => run.state !== "complete").length;
  const most = Math.max(1, ...ended.map((run) => run.seen));
  const name = ended.length ? `${plural(ended.length, "run")}, ${bad ? `${bad} not complete` : "all complete"}` : "no runs yet";
  const drawn = ended.map((run, i) => column(run, doubtOf(run, source), RUNS * WIDE - (ended.length - i) * WIDE, (run.seen / most) * 20));
  const frame = { class: "runs", viewBox: `0 0 ${RUNS * WIDE} 24`, preserveAspectRatio: "xMinYMid", role: "img", "aria-label": name };
  return svg("svg", frame, svg("path", { class: "none", d: `M0 23.5H${RUNS * WIDE}` }), drawn);
}

function column(run, state, x, tall) {
  const bar = (cls, height) => svg("rect", { class: cls, x, y: 23 - height, width: 2.5, height });
  if (run.state === "complete") return bar("ok", tall);
  const kids = [svg("rect", { class: "void", x: x - 1, y: 1, width: WIDE, height: 22 }), bar("bad", Math.max(3, tall))];
  return svg("g", { "data-state": state }, kids);
}
