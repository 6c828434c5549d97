/**
 * The people in the rooms and the notes they write: who is where, what was written, what of it was not read. The reader
 * is in every room that the page follows, by one name, or only listens.
 *
 * Events: `people` (anything changed), `note` {note}: one came that this reader has not seen.
 */
import { keep, recall } from "./memory.js";

const KEPT = 500; // notes of a room
const ACK_WITHIN = 10_000; // ms that the server has to take a note

export class People extends EventTarget {
  name = recall("name");
  given = false; // the name is the token's: nobody may change it here
  #present = new Map(); // room -> {members, people}
  #notes = new Map(); // room -> Map of id -> note, oldest first
  #seen; // room -> ms of the newest note that was read; "" stands for all others

  constructor(socket, world) {
    super();
    this.socket = socket;
    this.world = world;
    this.#seen = recall("notes") ?? { "": world.api.now() };
    keep("notes", this.#seen);
    world.enterAs(this.name);
    world.addEventListener("joined", ({ detail: { source, answer } }) => this.#hear(source.name, answer));
    world.addEventListener("feeds", () => this.#tell("people"));
    socket.on("status", (status) => this.#hear(status.room, status));
    socket.on("message", (note) => this.#take(note));
    socket.on("disconnect", () => this.#present.clear());
  }

  /** Be in the rooms by this name; without one, only listen. */
  enter(name, given = false) {
    this.name = name.trim() || null;
    this.given = given;
    if (!given) keep("name", this.name);
    this.world.enterAs(this.name);
    this.#tell("people");
  }

  /** Sources whose rooms one is in: one may write there. */
  get rooms() {
    return this.world.list.filter((source) => source.feed !== null);
  }

  /** {members, people}: who is in the room (null: in any), by name; more may be there than are named. */
  here(room) {
    const present = room === null ? [...this.#present.values()] : [this.#present.get(room) ?? { members: 0, people: [] }];
    const people = [...new Set(present.flatMap((one) => one.people))].sort((a, b) => a.localeCompare(b));
    return { members: Math.max(people.length, ...present.map((one) => one.members)), people };
  }

  /** Notes of the room (null: of all), oldest first. */
  notes(room) {
    const rooms = room === null ? [...this.#notes.values()] : [this.#notes.get(room) ?? new Map()];
    return rooms.flatMap((notes) => [...notes.values()]).sort((a, b) => a.t - b.t);
  }

  /** Rooms with notes that were not read: [room, how many]. */
  get unread() {
    const news = (notes) => [...notes.values()].filter((note) => this.#isNews(note)).length;
    return [...this.#notes].map(([room, notes]) => [room, news(notes)]).filter(([, n]) => n > 0);
  }

  /** The notes of the room (null: of all) were read. */
  read(room) {
    const news = this.notes(room).filter((note) => this.#isNews(note));
    if (!news.length) return;
    for (const { room: where, t } of news) this.#seen[where] = t;
    keep("notes", this.#seen);
    this.#tell("people");
  }

  /** Write to a room. Returns null, or in words why it was not taken. */
  async send(room, text) {
    if (!this.socket.connected) return "Not sent, because the page is not live. Your note stays here.";
    const unanswered = { ok: false, error: { code: "no_answer", message: "the server did not answer" } };
    const answer = await this.socket.timeout(ACK_WITHIN).emitWithAck("message", { room, text }).catch(() => unanswered);
    return answer.ok ? null : refusal(answer.error, text);
  }

  #hear(room, { members, people }) {
    if (members === undefined) return;
    this.#present.set(room, { members, people });
    this.#tell("people");
  }

  #take(told) {
    const notes = this.#notes.get(told.room) ?? new Map();
    const id = `${told.id} ${told.at}`; // a rebuilt database counts anew
    if (notes.has(id)) return;
    const note = { ...told, id, t: Date.parse(told.at) };
    this.#notes.set(told.room, notes.set(id, note));
    if (notes.size > KEPT) notes.delete(notes.keys().next().value);
    if (this.#isNews(note)) this.#tell("note", { note });
    this.#tell("people");
  }

  #isNews({ room, username, t }) {
    return username !== this.name && t > (this.#seen[room] ?? this.#seen[""]);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Why a note was not taken, and what to do. */
function refusal({ code, message, retry_after: wait }, text) {
  if (code === "slow_down") return `Not sent: that was too much at once. Send it again in ${Math.ceil(wait)} s.`;
  if (code === "long_note") return `Not sent: a note has at most 2,000 characters, this one ${[...text].length.toLocaleString("en-GB")}.`;
  return `Not sent: ${message}. Your note stays here.`;
}
