/** The feed over a socket whose server forgets, doubles and refuses. Time is the test's. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import test from "node:test";
import { Feed } from "../../realtime/web/js/feed.js";

const EPOCH = "life-1";

/** A Socket.IO socket's outside: the test answers the joins and speaks for the server. */
class Socket extends EventEmitter {
  connected = false;
  joins = []; // {asked, answer(value)}

  timeout() {
    return { emitWithAck: (_event, asked) => new Promise((answer) => this.joins.push({ asked, answer })) };
  }

  connect() {
    this.connected = true;
    this.emit("connect");
  }

  disconnect() {
    this.connected = false;
    this.emit("disconnect");
  }

  async answer(offset, epoch = EPOCH) {
    this.joins.at(-1).answer({ ok: true, room: "s", epoch, offset });
    await settled();
  }

  /** A frame of new entries with the offsets (after, upto]. */
  send(after, upto, epoch = EPOCH) {
    const changes = Array.from({ length: upto - after }, (_, i) => ({ offset: after + i + 1, key: `k${after + i + 1}`, kind: "new" }));
    this.emit("entries", { room: "s", epoch, after, upto, changes });
  }

  mark(upto, as_of, epoch = EPOCH) {
    this.emit("watermark", { room: "s", epoch, upto, as_of, state: "fresh" });
  }
}

const settled = () => new Promise((done) => setImmediate(done));

async function live(t, upto = 3) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const socket = new Socket();
  const feed = new Feed(socket, "s");
  const taken = [];
  feed.addEventListener("changes", ({ detail }) => taken.push(...detail.changes.map(({ key }) => key)));
  socket.connect();
  await socket.answer(upto);
  socket.send(0, upto);
  socket.mark(upto, "10:00");
  return { socket, feed, taken };
}

test("it joins from nothing, and is live only when the head is reached", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const socket = new Socket();
  const feed = new Feed(socket, "s", { username: "desk" });
  socket.connect();
  assert.deepEqual(socket.joins[0].asked, { username: "desk", room: "s", since: 0 });
  await socket.answer(4);
  socket.send(0, 2);
  assert.deepEqual([feed.state, feed.asOf], ["joining", null]);
  socket.send(2, 4);
  assert.equal(feed.state, "live");
  socket.mark(4, "10:00");
  assert.equal(feed.asOf, "10:00");
});

test("entries that come before the answer are taken as well", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const socket = new Socket();
  const feed = new Feed(socket, "s");
  socket.connect();
  socket.send(0, 2);
  await socket.answer(2);
  assert.deepEqual([feed.state, feed.entries.size], ["live", 2]);
});

test("a lost connection is gone on with from the cursor", async (t) => {
  const { socket, feed, taken } = await live(t);
  socket.disconnect();
  assert.equal(feed.state, "lost");
  socket.connect();
  assert.deepEqual(socket.joins.at(-1).asked, { room: "s", since: 3, epoch: EPOCH });
  assert.equal(feed.state, "catching");
  await socket.answer(5);
  assert.deepEqual([feed.state, feed.asOf], ["catching", "10:00"]);
  socket.send(3, 5);
  assert.deepEqual([feed.state, taken], ["live", ["k1", "k2", "k3", "k4", "k5"]]);
});

test("a frame that does not continue it makes it ask again, once", async (t) => {
  const { socket, feed, taken } = await live(t);
  socket.send(5, 6);
  socket.send(6, 7);
  assert.equal(socket.joins.length, 2);
  assert.equal(socket.joins.at(-1).asked.since, 3);
  await socket.answer(7);
  socket.send(3, 7);
  assert.deepEqual([feed.state, taken.length], ["live", 7]);
});

test("a watermark that stays ahead of its entries makes it ask again", async (t) => {
  const { socket, feed } = await live(t);
  socket.mark(4, "10:05");
  assert.equal(feed.asOf, "10:00");
  t.mock.timers.tick(2_000);
  assert.deepEqual([socket.joins.length, feed.state], [2, "catching"]);
  await socket.answer(4);
  socket.send(3, 4);
  socket.mark(4, "10:05");
  assert.deepEqual([feed.state, feed.asOf], ["live", "10:05"]);
});

test("a watermark whose entries come in time asks nothing", async (t) => {
  const { socket, feed } = await live(t);
  socket.mark(4, "10:05");
  socket.send(3, 4);
  t.mock.timers.tick(10_000);
  assert.deepEqual([socket.joins.length, feed.asOf], [1, "10:05"]);
});

test("a refused join is tried again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const socket = new Socket();
  const feed = new Feed(socket, "s");
  const refusals = [];
  feed.addEventListener("refused", ({ detail }) => refusals.push(detail.error.code));
  socket.connect();
  socket.joins[0].answer({ ok: false, error: { code: "too_many_rooms" } });
  await settled();
  assert.deepEqual(refusals, ["too_many_rooms"]);
  t.mock.timers.tick(1_000);
  assert.equal(socket.joins.length, 2);
});

test("a reset drops everything, and the snapshot of the new life replaces it", async (t) => {
  const { socket, feed, taken } = await live(t);
  let resets = 0;
  feed.addEventListener("reset", () => (resets += 1));
  socket.disconnect();
  socket.connect();
  socket.emit("reset", { room: "s", epoch: "life-2" });
  assert.deepEqual([resets, feed.entries.size, feed.asOf, feed.state], [1, 0, null, "joining"]);
  socket.send(0, 1, "life-2");
  await socket.answer(1, "life-2");
  assert.deepEqual([feed.state, feed.entries.size, resets, taken.at(-1)], ["live", 1, 1, "k1"]);
});

test("an answer in another life is a reset by itself", async (t) => {
  const { socket, feed } = await live(t);
  socket.disconnect();
  socket.connect();
  await socket.answer(1, "life-2");
  assert.deepEqual([feed.entries.size, feed.cursor, feed.state], [0, 0, "joining"]);
  socket.emit("reset", { room: "s", epoch: "life-2" });
  socket.send(0, 1, "life-2");
  assert.deepEqual([feed.state, feed.entries.size], ["live", 1]);
});

test("an answer to an older join is not heard, and a closed feed hears nothing", async (t) => {
  const { socket, feed } = await live(t);
  socket.disconnect();
  socket.connect();
  const older = socket.joins.at(-1);
  socket.disconnect();
  older.answer({ ok: true, epoch: EPOCH, offset: 3 });
  await settled();
  assert.equal(feed.state, "lost");
  feed.close();
  socket.connect();
  assert.equal(socket.joins.length, 2);
});

test("another name is told from the cursor, and the feed stays live", async (t) => {
  const { socket, feed } = await live(t);
  const answers = [];
  feed.addEventListener("joined", ({ detail }) => answers.push(detail.answer.offset));
  feed.rejoin({ username: "desk" });
  assert.deepEqual(socket.joins[1].asked, { username: "desk", room: "s", since: 3, epoch: EPOCH });
  socket.send(3, 4);
  await socket.answer(4);
  assert.deepEqual([feed.state, feed.cursor, answers], ["live", 4, [4]]);
});
