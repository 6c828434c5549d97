/** The sources and, of the one that is open, its topics: state, as of, unread. Places do not move: they are remembered. */
import { $, glyph, h, hidden, redraw, say, set } from "./dom.js";
import { hms, when } from "./format.js";
import { doubtful, roomTitle } from "./place.js";
import { reason } from "./reasons.js";
import { address } from "./route.js";

const TOPICS = 40; // topics listed; the filter finds the others

export function drawRail(page) {
  const { world, view, line } = page;
  const counts = line.blind ? new Map() : unreadBy(page);
  const topics = view.route.room ? topicsOf(world, view.route.room) : [];
  const print = JSON.stringify([world.list.map((s) => [s.name, s.title]), view.route.room, topics]);
  if ($("rail").dataset.print !== print) {
    $("rail").dataset.print = print;
    set($("rail"), list(world, view.route.room, topics));
  }
  for (const link of $("rail").querySelectorAll("a")) dress(link, page, counts);
  badges(page);
  picker(page);
}

const item = (room, topic, name, kids) =>
  h(
    "li",
    {},
    h(
      "a",
      { class: "source", href: address({ room, topic }), "data-room": room ?? "", "data-topic": topic },
      topic === null && h("span", { class: "icon" }),
      h("span", { class: "name" }, name),
      h("b", { class: "count" }),
      topic === null && h("span", { class: "asof" }),
    ),
    kids,
  );

function list(world, room, topics) {
  const under = (source) =>
    source.name === room && topics.length > 0 && h("ul", { class: "topics" }, topics.map((topic) => item(room, topic, topic)));
  return [
    h("ul", {}, item(null, null, "All sources")),
    world.sources.size > 0 && h("h2", {}, "Sources"),
    h("ul", {}, world.list.map((source) => item(source.name, null, source.title, under(source)))),
  ];
}

function dress(link, { world, view, line }, counts) {
  const room = link.dataset.room || null;
  const topic = link.dataset.topic ?? null;
  const { route } = view;
  const here = route.view === "live" && route.room === room && route.topic === topic;
  if (here) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
  const n = counts.get(JSON.stringify([room, topic])) ?? 0;
  redraw(link.querySelector(".count"), String(n), n > 0 && [String(n), hidden(" unread")]);
  const source = world.sources.get(room);
  link.dataset.state = source && topic === null ? source.state : "fresh";
  if (!source || topic !== null) return;
  redraw(link.querySelector(".icon"), source.state, glyph(source.state), hidden(`${source.state} `));
  const now = world.api.now();
  const calm = source.state === "fresh";
  say(link.querySelector(".asof"), line.blind ? "" : calm ? (source.asOf ? short(source.asOf, now) : "") : reason(source, now));
  link.toggleAttribute("data-said", !line.blind && !calm);
}

const short = (t, now) => (now - t < 43_200_000 ? hms(t) : when(t, now).split(",")[0]);

function unreadBy({ world, reader }) {
  const counts = new Map();
  for (const id of reader.unread) {
    const row = world.rows.get(id);
    if (!row) continue;
    const places = [[null, null], [row.source, null], ...(row.topic ? [[row.source, row.topic]] : [])];
    for (const place of places.map((one) => JSON.stringify(one))) counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return counts;
}

function topicsOf(world, room) {
  const topics = new Set();
  for (const entry of world.sources.get(room)?.feed?.entries.values() ?? []) if (entry.topic) topics.add(entry.topic);
  return [...topics].sort((a, b) => a.localeCompare(b)).slice(0, TOPICS);
}

/** How many sources are not fresh, beside the word Health. */
function badges({ world }) {
  const doubt = doubtful(world);
  for (const badge of document.querySelectorAll(".badge")) {
    badge.dataset.state = doubt[0]?.state ?? "fresh";
    const n = doubt.length;
    redraw(badge, String(n), n > 0 && [String(n), hidden(n === 1 ? " source not fresh" : " sources not fresh")]);
  }
}

/** The narrow page has the rail as a sheet: this button says where one is and opens it. */
function picker({ world, view }) {
  const title = roomTitle(world, view.route);
  const state = world.sources.get(view.route.room)?.state;
  $("sources-open").dataset.state = state ?? "fresh";
  redraw($("sources-open"), `${title} ${state}`, state && [glyph(state), hidden(`${state} `)], h("span", { class: "name" }, title), glyph("down"));
}
