/**
 * The page's module, kept to itself: `node follow.mjs URL JOIN` says on standard output, a line of JSON each, what it
 * took and when it was in its room; when its standard input ends it says what is present, and goes.
 */
import { createRequire } from "node:module";
import { Feed } from "../../realtime/web/js/feed.js";

const [url, join] = process.argv.slice(2);
const load = createRequire(import.meta.url);
globalThis.WebSocket ??= load("ws"); // Node has its own since 22
const { io } = load("socket.io-client");
const say = (what, told = {}) => process.stdout.write(JSON.stringify({ at: Number(process.hrtime.bigint()) / 1e9, what, ...told }) + "\n");

const socket = io(url, { transports: ["websocket"], reconnectionDelay: 100, reconnectionDelayMax: 500, timeout: 3_000 });
const { room, ...fields } = JSON.parse(join);
let taken = [];
const feed = new Feed(socket, room, fields); // it hears each frame before we do
feed.addEventListener("changes", ({ detail }) => (taken = detail.changes));
feed.addEventListener("reset", ({ detail }) => say("reset", detail));
feed.addEventListener("joined", () => say("joined"));
socket.on("disconnect", () => say("gone"));
socket.on("time", ({ time }) => say("time", { time }));
socket.on("entries", ({ epoch, after }) => {
  say("entries", { epoch, after, cursor: feed.cursor, changes: taken });
  taken = [];
});

process.stdin.resume().on("end", () => {
  say("gone");
  feed.close();
  socket.close();
  say("present", { entries: Object.fromEntries([...feed.entries].map(([key, change]) => [key, change.data])) });
});
