/** The claim and its caveat: is it live, how far may one believe it, and which source not. */
import { button, glyph, h } from "./dom.js";
import { hms, number, plural, span, when } from "./format.js";
import { doubtful, latecomer, roomTitle, vouchedTo } from "./place.js";
import { explained } from "./reasons.js";
import { address } from "./route.js";
import { LENGTH } from "./tape.js";

const NAMED = 3; // sources in doubt that are named; of more, two and how many

/** {icon, state, where, head, caveat}: what the band says. @param page {world, line, view, held(name)}. */
export function claim(page) {
  const told = { joining, reset, lost, catching }[page.line.state];
  if (told) return { icon: "waiting", ...told(page) };
  return page.view.route.room === null ? ofAll(page) : ofOne(page);
}

function joining({ world, signIn }) {
  if (signIn.ended) return { head: "Not signed in", caveat: ended(signIn) };
  const refused = world.list.find((source) => source.refusal && !source.quiet && source.feed.state !== "live");
  if (world.fault) return { head: "Joining", caveat: [world.fault, " Trying again."] };
  if (refused) return { head: "Joining", caveat: [`${refused.title}: ${refused.refusal} Trying again.`] };
  if (!world.loaded) return { head: "Joining", caveat: ["Asking which sources there are."] };
  return { head: "Joining", caveat: [`Reading what is there now: ${readOf(world)} entries.`] };
}

function reset({ world }) {
  return {
    head: "Reading everything again",
    caveat: [`The server’s history was rebuilt, so a snapshot replaces what was here: ${readOf(world)} entries.`],
  };
}

function readOf(world) {
  const sum = (of) => world.list.filter((source) => !source.quiet).reduce((n, source) => n + of(source), 0);
  const read = sum((source) => source.present);
  return `${number(read)} of ${number(Math.max(read, sum((source) => source.info.present ?? 0)))}`;
}

function ended(signIn) {
  return [`${signIn.ended} `, button("text", () => signIn.open(), "Sign in")];
}

function lost({ line, signIn }) {
  if (signIn.ended) return { head: `Not live since ${hms(line.hole.from)}`, caveat: ["What you see was true then. ", ended(signIn)] };
  const tried = line.tries > 1 ? ` Tried ${number(line.tries)} times, and trying on. ` : " Trying again. ";
  return {
    head: `Not live since ${hms(line.hole.from)}`,
    caveat: ["What you see was true then.", tried, button("text", () => line.tryNow(), "Try now")],
  };
}

function catching({ line }) {
  const [done, all] = line.progress;
  const since = line.hole && !line.hole.filled ? [`Complete as of ${hms(line.hole.from)} until then.`] : ["Asking for what is missing."];
  return { head: all > 0 ? `Catching up, ${number(done)} of ${plural(all, "change")}` : "Catching up", caveat: since };
}

function ofAll({ world, line }) {
  if (!world.sources.size) return { icon: "fresh", head: "Live, no sources yet", caveat: ["A source appears here when it delivers for the first time."] };
  const asOf = vouchedTo(world, null);
  const doubt = doubtful(world);
  const late = latecomer(world, line.heardAt);
  const waiting = world.list.filter((source) => source.state === "waiting").length;
  if (asOf === null) return { icon: "waiting", head: "Live, nothing to vouch for yet", caveat: exceptions(doubt, waiting) };
  return {
    icon: "fresh",
    head: `Live, complete as of ${when(asOf, line.heardAt)}`,
    caveat: [
      doubt.length ? ["except ", named(doubt)] : waiting ? `${world.sources.size - waiting} of ${world.sources.size} sources fresh` : all(world.sources.size),
      waiting > 0 && `, ${waiting} without a complete run yet`,
      late && `, waiting for ${late.title}`,
    ],
  };
}

const all = (n) => ["", "its one source is fresh", "both sources fresh"][n] ?? `all ${n} sources fresh`;

const exceptions = (doubt, waiting) => [
  doubt.length ? named(doubt) : "",
  waiting > 0 && `${doubt.length ? ", " : ""}${plural(waiting, "source")} without a complete run yet`,
];

function named(doubt) {
  const shown = doubt.length > NAMED ? doubt.slice(0, NAMED - 1) : doubt;
  return [
    shown.map((source, i) => [i ? ", " : "", sourceLink(source)]),
    doubt.length > shown.length && [" and ", h("a", { href: "#/health" }, `${doubt.length - shown.length} more`)],
  ];
}

function sourceLink({ name, title, state }) {
  return h("a", { href: address({ room: name }), "data-state": state }, glyph(state), `${title} (${state})`);
}

function ofOne({ world, line, view, held }) {
  const { route } = view;
  const source = world.sources.get(route.room);
  const where = `${roomTitle(world, route)}: `;
  if (!source) return { icon: "waiting", where, head: "no such source", caveat: [h("a", { href: "#/live" }, "See all sources")] };
  const { state, asOf, info } = source;
  const sure = asOf === null ? "" : `, complete as of ${when(asOf, line.heardAt)}`;
  if (source.quiet && !source.doubtful) return { icon: state, state, where, ...ofTape(source, line) };
  if (state === "fresh") {
    const every = info.every ? ` A run comes every ${span(info.every)}.` : info.schedule ? ` Runs: ${info.schedule}.` : "";
    const which = route.topic === null ? `All ${plural(source.present, "entry", "entries")} were` : "Its entries were";
    return { icon: state, state, where, head: `live${sure}`, caveat: [`Fresh. ${which} confirmed then.${every}`] };
  }
  const onward = info.hold
    ? button("text", () => held(source.name), "Review the batch")
    : h("a", { href: address({ view: "health", source: source.name }) }, "See why");
  const head = state !== "waiting" ? `${state}${sure}` : source.present ? "live, not confirmed yet" : "nothing yet";
  return { icon: state, state, where, head, caveat: [`${explained(source, line.heardAt)} `, state !== "waiting" && onward] };
}

/** A source that is followed only while one looks: what is here is its end, and no more is said of it. */
function ofTape({ feed, refusal, followedAt }, { heardAt }) {
  if (feed?.state !== "live") return { head: "joining", caveat: [refusal ?? "Its newest entries are shown from now on."] };
  const since = `since ${when(followedAt, heardAt)}`;
  return { head: "live, newest entries only", caveat: [`It says too much to be read whole: its last ${number(LENGTH)} entries ${since}.`] };
}
