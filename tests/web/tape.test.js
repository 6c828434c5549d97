/** The end of a source that says too much to be read whole. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import test from "node:test";
import { LENGTH, Tape } from "../../realtime/web/js/tape.js";

class Socket extends EventEmitter {
  connected = true;
  joins = [];

  timeout() {
    return { emitWithAck: async (_event, asked) => (this.joins.push(asked), { ok: true, offset: 7 }) };
  }

  send(room, ...changes) {
    this.emit("entries", { room, changes });
  }
}

const settled = () => new Promise((done) => setImmediate(done));
const change = (key, kind = "new") => ({ key, kind });

async function live() {
  const socket = new Socket();
  const tape = new Tape(socket, "s", { username: "desk" });
  await settled();
  return { socket, tape };
}

test("it joins from now on, and is live at once", async () => {
  const { socket, tape } = await live();
  assert.deepEqual([tape.state, socket.joins], ["live", [{ username: "desk", room: "s" }]]);
});

test("it keeps the newest entries and no more", async () => {
  const { socket, tape } = await live();
  socket.send("s", change("a"), change("b"), change("a", "changed"), change("c"), change("c", "removed"));
  socket.send("other", change("d"));
  assert.deepEqual([...tape.entries.keys()], ["b", "a"]);
  let told = 0;
  tape.addEventListener("changes", ({ detail }) => (told += detail.changes.length));
  socket.send("s", ...Array.from({ length: LENGTH + 5 }, (_, i) => change(`k${i}`)));
  assert.deepEqual([tape.entries.size, told, tape.entries.has("k4"), tape.entries.has("k5")], [LENGTH, LENGTH, false, true]);
});

test("after a lost connection it begins anew", async () => {
  const { socket, tape } = await live();
  socket.send("s", change("a"));
  let resets = 0;
  tape.addEventListener("reset", () => (resets += 1));
  socket.emit("disconnect");
  assert.equal(tape.state, "lost");
  socket.emit("connect");
  await settled();
  assert.deepEqual([tape.state, tape.entries.size, resets], ["live", 0, 1]);
});
