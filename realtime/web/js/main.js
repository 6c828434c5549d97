/** Puts the page together and lets it run. */
import { io } from "/static/vendor/socket.io.esm.min.js";
import { Api } from "./api.js";
import { Clock } from "./clock.js";
import { $ } from "./dom.js";
import { plural } from "./format.js";
import { listenToKeys } from "./keys.js";
import { Line } from "./line.js";
import { Page } from "./page.js";
import { People } from "./people.js";
import { Reader } from "./reader.js";
import { Settings } from "./settings.js";
import { fold } from "./sheet.js";
import { SignIn } from "./signin.js";
import { Tell } from "./tell.js";
import { Top } from "./top.js";
import { World } from "./world.js";

const SECOND = 1_000;
const WIRE_MOVES = 5; // seconds

const socket = io({ transports: ["websocket"], reconnectionDelay: 500, reconnectionDelayMax: 5_000 });
const api = new Api();
const reader = new Reader(() => api.now());
const world = new World(socket, api, reader);
const people = new People(socket, world);
const line = new Line(socket, world);
const clock = new Clock(socket);
const tell = new Tell();
const signIn = new SignIn(socket, api);
const page = new Page({ world, line, reader, api, tell, signIn, people, top: new Top(socket) });
page.settings = new Settings(() => page.table.measure());
page.closeSheet = fold();

world.addEventListener("sources", () => {
  page.freshen(null);
  page.draw.touch();
});
world.addEventListener("heard", () => page.draw.touch("band", "rail", "wire", "rows", "health"));
world.addEventListener("reset", () => page.table.refresh());
world.addEventListener("changes", ({ detail }) => {
  const { rows, source } = detail;
  if (source.quiet) return flow(source, rows);
  page.draw.touch("band", "rail", "filters", "wire", "health", "room");
  if (line.blind) return;
  tell.arrived(rows);
  page.table.arrive(rows);
  page.freshen(rows);
});

/** A thousand a second are nobody's news one by one. */
function flow(source, rows) {
  world.trim(source, page.table.listed);
  page.table.flow(rows);
  page.freshen(rows);
}

/** Once a second, unless someone reads it: the rows that the open tape has let go of leave. Returns how many did. */
function letGo() {
  const source = world.sources.get(page.view.route.room);
  return source?.quiet && source.feed && !page.table.still ? world.trim(source, new Set()) : 0;
}

line.addEventListener("line", ({ detail: { from, to } }) => {
  page.draw.touch();
  if (from === to) return;
  const blind = ["joining", "reset"];
  if (blind.includes(from) || blind.includes(to)) page.table.refresh();
  else page.settle();
  if (to === "lost") tell.alarm("Not live. Trying again.");
  if (to === "live" && from !== "joining" && line.hole) back(line.hole);
});

function back(hole) {
  const caught = `${plural(hole.ids.size, "entry", "entries")} caught up, none missing.`;
  const words = `Live again. ${hole.rebuilt ? "Everything was read again." : caught}`;
  tell.alarm(words);
  tell.toast(words);
}

signIn.addEventListener("access", () => page.draw.touch());
signIn.addEventListener("named", () => people.enter(signIn.name, true));
people.addEventListener("people", () => page.draw.touch("room"));
people.addEventListener("note", () => tell.noted());
reader.addEventListener("read", () => {
  page.settle();
  page.draw.touch("band", "rail", "wire", "rows");
});
addEventListener("pagehide", () => {
  reader.close();
  reader.save(world.rows);
  socket.disconnect(); // a browser may keep a page that one left, and its connection with it: others would see us for long
});
addEventListener("pageshow", ({ persisted }) => persisted && socket.connect());

addEventListener("hashchange", () => page.go(location.hash));
$("search").addEventListener("input", ({ target }) => page.filter({ words: target.value }));
$("sort").addEventListener("change", ({ target: { value } }) => page.sortBy(value ? value.slice(0, -1) : null, value.endsWith("↓")));
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address is the route's
  $("stream").focus();
});
$("keys-open").addEventListener("click", () => $("keys").showModal());
new ResizeObserver(() => page.draw.touch("wire")).observe($("wire"));

listenToKeys(page, {
  j: () => page.step(1),
  k: () => page.step(-1),
  n: () => page.table.release(),
  m: page.markRead,
  u: () => page.nextUnread(),
  r: () => page.room.toggle(),
  t: () => page.settings.turnTheme(),
  d: () => page.settings.turnDensity(),
  "/": () => {
    $("filters").setAttribute("data-open", "");
    $("filter-open").setAttribute("aria-expanded", "true");
    $("search").focus();
  },
  "?": () => $("keys").showModal(),
  1: () => (location.hash = "#/live"),
  2: () => (location.hash = "#/health"),
});

let seconds = 0;
setInterval(() => {
  seconds += 1;
  line.listen();
  clock.look();
  reader.glance(page.view.route.view === "live" ? page.table.inSight : []);
  if (!page.table.reading && world.prune(api.now(), page.table.current)) page.table.refresh();
  const gone = letGo();
  if (gone) page.table.refresh();
  if (page.table.rest() || gone) page.draw.touch("filters", "rail");
  if (seconds % WIRE_MOVES === 0) page.draw.touch("wire");
}, SECOND);

page.go(location.hash);
