/**
 * The wire: the last half hour as one line. Up is new, down removed, across changed, a stub corrected; solid as far as
 * we vouch, dotted after it. A disconnection is a hole until all of it has come.
 */
import { $, set, svg } from "./dom.js";
import { hm, hms, plural } from "./format.js";
import { knownFrom, vouchedTo } from "./place.js";

const Y = 15; // px: where the line runs
const REACH = { new: [Y - 9, Y], changed: [Y - 5, Y + 5], removed: [Y, Y + 9], corrected: [Y - 2, Y + 2] };
const FIVE_MINUTES = 300_000;

export function drawWire(page) {
  const box = $("wire");
  const width = box.clientWidth - 2 * parseFloat(getComputedStyle(box).paddingInlineStart);
  if (width < 50) return;
  const long = (width < 600 ? 15 : 30) * 60_000;
  const to = page.world.api.now();
  const scale = { width, from: to - long, to, x: (t) => Math.round(((t - to + long) / long) * width * 2) / 2 };
  const ticks = page.line.blind ? [] : ticksIn(page, scale);
  const parts = [hatch(), holes(page, scale), thread(page, scale), strokes(page, ticks, scale), looked(page, scale), labels(page, scale)];
  set(box, svg("svg", { viewBox: `0 0 ${width} 46`, role: "img", "aria-label": sentence(page, ticks, scale) }, parts));
}

function ticksIn({ world, view }, { from, to }) {
  const { room, topic } = view.route;
  return world.ticks.filter((k) => k.t >= from && k.t <= to && (!room || k.source === room) && (!topic || k.topic === topic));
}

function sentence({ line }, ticks, { from, to }) {
  const hole = line.hole;
  const cut = hole && (hole.to ?? to) > from ? `, a disconnection from ${hms(hole.from)}${hole.filled ? ", filled in since" : ""}` : "";
  return `The last ${Math.round((to - from) / 60_000)} minutes: ${plural(ticks.length, "change")}${cut}.`;
}

const hatch = () =>
  svg(
    "defs",
    {},
    svg(
      "pattern",
      { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("path", { d: "M0 0v6", stroke: "currentColor", "stroke-width": 1.5 }),
    ),
  );

function holes({ line }, { x, from, to }) {
  const seen = line.holes.filter((hole) => (hole.to ?? to) > from);
  return seen.map((hole) => {
    const [start, end] = [x(Math.max(hole.from, from)), x(hole.to ?? to)];
    return svg("rect", { class: hole.filled ? "filled" : "hole", x: start, y: Y - 10, width: Math.max(2, end - start), height: 20 });
  });
}

/** Solid up to where nothing is missing, then dotted; nothing at all where nothing is known, nor before the first we know. */
function thread({ line, world, view }, { x, from, to, width }) {
  const begin = line.blind ? from : Math.max(from, Math.min(to, knownFrom(world, view.route.room)));
  const open = line.hole && !line.hole.filled ? line.hole.from : null;
  const sure = line.blind ? from : (open ?? vouchedTo(world, view.route.room) ?? from);
  const state = view.route.room ? world.sources.get(view.route.room)?.state : undefined;
  const doubt = state && state !== "fresh" && state !== "waiting";
  return [
    sure > begin && svg("path", { class: "sure", d: `M${x(begin)} ${Y}H${x(Math.min(sure, to))}` }),
    line.state !== "lost" &&
      svg("path", { class: `unsure${doubt ? " doubt" : ""}`, "data-state": doubt ? state : undefined, d: `M${x(Math.max(sure, begin))} ${Y}H${width}` }),
  ];
}

function strokes({ world, reader }, ticks, { x }) {
  const unread = (k) => reader.unread.has(k.id) && world.rows.get(k.id)?.offset === k.offset;
  const path = (some) => [...new Set(some.map((k) => `M${x(k.t)} ${REACH[k.kind][0]}V${REACH[k.kind][1]}`))].join("");
  return [
    svg("path", { class: "tick", d: path(ticks.filter((k) => !unread(k))) }),
    svg("path", { class: "tick unread", d: path(ticks.filter(unread)) }),
  ];
}

function looked({ line, reader }, { x, from, width }) {
  if (line.blind || reader.looked === null || reader.looked < from) return [];
  const at = x(reader.looked);
  const said = at < width - 84 && at > 30;
  return [
    svg("path", { class: "look", d: `M${at} 2V30` }),
    said && svg("text", { class: "look-text", x: at, y: 40, "text-anchor": "middle" }, "you looked"),
  ];
}

function labels({ reader, line }, { x, from, to, width }) {
  const marks = [];
  const clear = (at) => at > 20 && at < width - 44 && (line.blind || reader.looked < from || Math.abs(at - x(reader.looked)) > 56);
  for (let t = Math.ceil(from / FIVE_MINUTES) * FIVE_MINUTES; t < to; t += FIVE_MINUTES)
    if (clear(x(t))) marks.push(svg("text", { x: x(t), y: 40, "text-anchor": "middle" }, hm(t)));
  return [marks, svg("text", { x: width, y: 40, "text-anchor": "end" }, "now")];
}
