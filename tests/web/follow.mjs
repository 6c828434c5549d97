/** Follows a room as the page does, over MessagePack: `node follow.mjs URL JOIN UPTO` prints what is present as JSON. */
import { createRequire } from "node:module";
import { Feed } from "../../realtime/web/js/feed.js";

const [url, join, upto] = process.argv.slice(2);
const load = createRequire(import.meta.url);
globalThis.WebSocket ??= load("ws"); // Node has its own since 22
const { io } = load("../../node_modules/socket.io-client/dist/socket.io.msgpack.min.js");
const socket = io(url, { transports: ["websocket"] });
const { room, ...fields } = JSON.parse(join);
const feed = new Feed(socket, room, fields);

feed.addEventListener("state", () => feed.state === "live" && process.stderr.write("live\n"));
const done = setInterval(() => {
  if (feed.cursor < Number(upto)) return;
  clearInterval(done);
  const data = Object.fromEntries([...feed.entries].map(([key, change]) => [key, change.data]));
  const deltas = [...feed.entries.values()].filter((change) => change.delta).length;
  process.stdout.write(JSON.stringify({ name: feed.name, data, deltas }));
  feed.close();
  socket.close();
}, 20);
