/** The rule against a log that is known: whatever happens to the frames on their way, the ledger equals the log. */
import assert from "node:assert/strict";
import test from "node:test";
import { Ledger } from "../../realtime/web/js/rule.js";

const EPOCH = "life-1";
const LOGS = 300;

/** A seeded source of chance in [0, 1): mulberry32 by Tommy Ettinger. */
function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const upTo = (random, n) => Math.floor(random() * n);

/** A log of changes over few keys, so that entries come, change, go and come back. */
function makeLog(random) {
  const present = new Set();
  return Array.from({ length: 1 + upTo(random, 80) }, (_, i) => {
    const key = `k${upTo(random, 8)}`;
    const kind = !present.has(key) ? "new" : random() < 0.3 ? "removed" : "changed";
    if (kind === "removed") present.delete(key);
    else present.add(key);
    return { offset: i + 1, key, kind, data: { at: i + 1 } };
  });
}

/** What is present after the first `n` changes: key -> offset. */
function stateOf(log, n = log.length) {
  const state = new Map();
  for (const { key, kind, offset } of log.slice(0, n)) {
    if (kind === "removed") state.delete(key);
    else state.set(key, offset);
  }
  return state;
}

/** The frame that leads from `after` to `upto`, as a live one: every change. */
const frame = (log, after, upto) => ({ epoch: EPOCH, after, upto, changes: log.slice(after, upto) });

/** The same range as catching up serves it: the newest version of each entry, told from where the client stands. */
function states(log, after, upto) {
  const [then, newest] = [stateOf(log, after), new Map(log.slice(after, upto).map((change) => [change.key, change]))];
  const changes = [...newest.values()]
    .filter((change) => change.kind !== "removed" || then.has(change.key))
    .map((change) => (change.kind === "removed" ? change : { ...change, kind: then.has(change.key) ? "changed" : "new" }))
    .sort((a, b) => a.offset - b.offset);
  return { epoch: EPOCH, after, upto, changes };
}

function frames(log, random, make = frame) {
  const parts = [];
  for (let at = 0; at < log.length; ) {
    const upto = Math.min(log.length, at + 1 + upTo(random, 6));
    parts.push(make(log, at, upto));
    at = upto;
  }
  return parts;
}

/** The same frames, some dropped, some doubled, some late. */
function mangled(parts, random) {
  const sent = parts.flatMap((part) => (random() < 0.15 ? [] : random() < 0.3 ? [part, part] : [part]));
  for (let i = sent.length - 1; i > 0; i--) {
    const j = Math.max(0, i - upTo(random, 4));
    [sent[i], sent[j]] = [sent[j], sent[i]];
  }
  return sent;
}

const held = (ledger) => new Map([...ledger.entries].map(([key, { offset }]) => [key, offset]));
const sorted = (state) => [...state].sort();

test("the ledger equals the log at its cursor, whatever is dropped, doubled or reordered", () => {
  for (let seed = 1; seed <= LOGS; seed++) {
    const random = seeded(seed);
    const log = makeLog(random);
    const ledger = new Ledger();
    for (const part of mangled(frames(log, random), random)) {
      const { gap } = ledger.take(part);
      assert.equal(gap, part.after > ledger.cursor, `seed ${seed}`);
      assert.deepEqual(sorted(held(ledger)), sorted(stateOf(log, ledger.cursor)), `seed ${seed} at ${ledger.cursor}`);
      if (gap && random() < 0.7) ledger.take(states(log, ledger.cursor, log.length)); // asked again
    }
    ledger.take(states(log, ledger.cursor, log.length));
    assert.equal(ledger.cursor, log.length);
    assert.deepEqual(sorted(held(ledger)), sorted(stateOf(log)), `seed ${seed}`);
  }
});

test("what the ledger tells of is never told twice, and its kinds fit what it held", () => {
  for (let seed = 1; seed <= LOGS; seed++) {
    const random = seeded(seed);
    const log = makeLog(random);
    const ledger = new Ledger();
    const shown = new Map();
    let last = 0;
    for (const part of [...mangled(frames(log, random), random), ...frames(log, random, states)]) {
      for (const { key, kind, offset } of ledger.take(part).changes) {
        assert.ok(offset > last, `seed ${seed}: offset ${offset} after ${last}`);
        last = offset;
        assert.equal(kind === "new", !shown.has(key), `seed ${seed}: ${kind} ${key}`);
        if (kind === "removed") shown.delete(key);
        else shown.set(key, offset);
      }
      assert.deepEqual(sorted(shown), sorted(held(ledger)), `seed ${seed}`);
    }
  }
});

test("a frame beyond the cursor changes nothing", () => {
  const ledger = new Ledger();
  const log = makeLog(seeded(5));
  assert.equal(ledger.take(frame(log, 3, 5)).gap, true);
  assert.equal(ledger.cursor, 0);
  assert.equal(ledger.entries.size, 0);
});

test("an empty frame moves the cursor: what did not match the room is no loss", () => {
  const ledger = new Ledger();
  ledger.take({ epoch: EPOCH, after: 0, upto: 40, changes: [] });
  assert.equal(ledger.cursor, 40);
});

test("a watermark vouches only when everything up to it has come", () => {
  const ledger = new Ledger();
  const log = makeLog(seeded(9));
  ledger.aim(EPOCH, log.length);
  ledger.hear({ epoch: EPOCH, upto: log.length, as_of: "later" });
  assert.equal(ledger.mark, null);
  assert.equal(ledger.complete, false);
  ledger.take(frame(log, 0, log.length));
  assert.equal(ledger.mark.as_of, "later");
  assert.equal(ledger.complete, true);
  ledger.hear({ epoch: EPOCH, upto: log.length + 1, as_of: "beyond" });
  assert.equal(ledger.mark.as_of, "later");
  assert.equal(ledger.complete, false);
});

test("another life is foreign until the ledger restarts in it", () => {
  const ledger = new Ledger();
  const log = makeLog(seeded(3));
  ledger.take(frame(log, 0, log.length));
  const foreign = { epoch: "life-2", after: 0, upto: 1, changes: [{ offset: 1, key: "a", kind: "new" }] };
  assert.equal(ledger.take(foreign).gap, true);
  assert.equal(ledger.hear({ epoch: "life-2", upto: 1 }), false);
  ledger.restart("life-2");
  assert.deepEqual([ledger.cursor, ledger.entries.size, ledger.target], [0, 0, null]);
  ledger.take(foreign);
  assert.deepEqual([...ledger.entries.keys()], ["a"]);
});

test("deltas lead to the log's data, and one that does not build on what is held is a gap", () => {
  for (let seed = 1; seed <= LOGS; seed++) {
    const random = seeded(seed);
    const log = versions(makeLog(random), random);
    const ledger = new Ledger();
    for (const part of frames(log, random, deltas)) assert.equal(ledger.take(part).gap, false, `seed ${seed}`);
    for (const [key, { data, version }] of ledger.entries) {
      const last = log.findLast((change) => change.key === key);
      assert.deepEqual([data, version], [last.data, last.version], `seed ${seed}`);
    }
    const late = log.find((change) => change.delta);
    if (late) {
      const stranger = new Ledger();
      const alone = { epoch: EPOCH, after: 0, upto: log.length, changes: [{ ...late, data: undefined }] };
      assert.deepEqual(stranger.take(alone), { gap: true, changes: [] });
      assert.equal(stranger.cursor, 0);
    }
  }
});

/** The log with versions, fields that come and go, and what each change altered. */
function versions(log, random) {
  const newest = new Map();
  for (const change of log) {
    const before = newest.get(change.key);
    change.version = (before?.version ?? 0) + 1;
    if (change.kind === "removed") change.data = before.data;
    else change.data = Object.fromEntries(["a", "b", "c"].filter(() => random() < 0.7).map((field) => [field, upTo(random, 3)]));
    if (change.kind === "changed") {
      const altered = Object.entries(change.data).filter(([field, value]) => before.data[field] !== value);
      change.delta = Object.fromEntries(altered);
      change.gone = Object.keys(before.data).filter((field) => !(field in change.data));
    }
    newest.set(change.key, change);
  }
  return log;
}

const deltas = (log, after, upto) => {
  const changes = frame(log, after, upto).changes;
  return { ...frame(log, after, upto), changes: changes.map((change) => (change.delta ? { ...change, data: undefined } : change)) };
};
