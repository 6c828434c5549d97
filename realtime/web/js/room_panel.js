/** The room: who is here, and the notes. Beside the entry where there is space for both, else in its place. */
import { $, button, glyph, h, redraw, say } from "./dom.js";
import { hm, plural, when } from "./format.js";
import { mentions } from "./mention.js";
import { keep, recall } from "./memory.js";
import { roomTitle } from "./place.js";
import { address } from "./route.js";

const BOTH = matchMedia("(min-width: 1760px)"); // there is space for the room beside the panel
const AT_THE_END = 40; // px
const LISTENING = "You are listening. Say your name to be seen here and to write.";

export class RoomPanel {
  #opener = null;
  #renaming = false;

  constructor(page) {
    this.page = page;
    for (const id of ["room-toggle", "room-thumb"]) $(id).addEventListener("click", () => this.toggle());
    $("room-close").addEventListener("click", () => this.close());
    $("compose").addEventListener("submit", (event) => this.#send(event));
    $("name-form").addEventListener("submit", (event) => this.#enter(event));
    $("note").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      $("compose").requestSubmit();
    });
    BOTH.addEventListener("change", () => this.open && page.panel.open && this.close());
    document.addEventListener("visibilitychange", () => this.draw());
    if (BOTH.matches && recall("room", true)) this.#show(true);
  }

  get open() {
    return !$("room").hidden;
  }

  /** Whether it is what Escape closes. */
  get foremost() {
    return this.open && (!BOTH.matches || $("room").contains(document.activeElement));
  }

  toggle() {
    if (this.open) return this.close();
    this.#opener = document.activeElement;
    this.#give();
    $("room").querySelector("h2").focus();
  }

  /** Close, and give the focus back. */
  close() {
    const inside = $("room").contains(document.activeElement);
    this.#show(false);
    if (inside && this.#opener?.checkVisibility()) this.#opener.focus();
    else if (inside) $("stream").focus();
  }

  /** An entry opens: true when the room had to make place for it. */
  yield() {
    if (!this.open || BOTH.matches) return false;
    this.#show(false);
    return true;
  }

  /** Begin a note to a room. */
  write(room, text) {
    this.#give();
    const { note } = $("compose").elements;
    note.value = note.value.trim() ? `${note.value.trimEnd()}\n${text}` : text;
    $("note-room").value = room;
    (this.page.people.name ? note : $("name")).focus();
  }

  draw() {
    const { people, line, view } = this.page;
    const { room } = view.route;
    if (this.open && !document.hidden) people.read(room);
    const news = people.unread;
    const total = news.reduce((n, [, some]) => n + some, 0);
    const { members } = people.here(room);
    const count = total ? plural(total, "note") : members && line.state !== "lost" ? `${members} here` : "";
    say($("room-count"), count);
    $("room-count").className = total ? "fresh-note" : "dim";
    say($("room-thumb-count"), total ? String(total) : "");
    if (!this.open) return;
    this.#people(room);
    this.#notes(room);
    this.#elsewhere(news.filter(([where]) => room !== null && where !== room));
    this.#forms(room);
  }

  #give() {
    if (!BOTH.matches && this.page.panel.open) this.page.panel.close();
    this.#show(true);
  }

  #show(open) {
    $("room").hidden = !open;
    for (const id of ["room-toggle", "room-thumb"]) $(id).setAttribute("aria-expanded", String(open));
    if (BOTH.matches) keep("room", open);
    if (!open) return;
    this.draw();
    this.#toEnd();
  }

  #people(room) {
    const { people, line, world, view } = this.page;
    const { members, people: names } = people.here(room);
    const others = names.filter((name) => name !== people.name);
    const mine = names.length > others.length;
    const more = members - names.length;
    say($("room-title"), room === null ? "Every room that this page follows" : roomTitle(world, { ...view.route, topic: null }));
    const lost = line.state === "lost";
    say($("room-members"), lost ? "Who is here is not known now" : `${members} here`);
    const words = [mine && h("b", {}, "you"), others.length > 0 && `${mine ? ", " : ""}${others.join(", ")}`, more > 0 && ` and ${more} more`];
    const nobody = people.name || lost ? "" : "Nobody has said a name. ";
    redraw($("room-people"), JSON.stringify([names, more, people.name, nobody]), members ? words : nobody);
    const change = !people.given && button("text", () => this.#rename(), "Change your name");
    redraw($("room-me"), JSON.stringify([people.name, people.given]), people.name && [`You are here as ${people.name}. `, change]);
  }

  #notes(room) {
    const { people, world } = this.page;
    const notes = people.notes(room);
    const isKey = (note) => (key) => world.row(note.room, key) !== undefined;
    const told = notes.map((note) => [note, mentions(note.text, isKey(note))]);
    const now = world.api.now();
    const ended = this.#atEnd;
    redraw(
      $("notes"),
      JSON.stringify([room, this.page.view.route.topic, told.map(([note, parts]) => [note.id, note.room, parts]), new Date(now).getDate()]),
      told.map(([note, parts]) => this.#note(note, parts, now)),
    );
    $("no-notes").hidden = notes.length > 0;
    if (ended) this.#toEnd();
  }

  #note(note, parts, now) {
    const { world, view } = this.page;
    const { room } = view.route;
    const at = now - note.t < 43_200_000 ? hm(note.t) : when(note.t, now);
    const where = room === null && [" in ", h("a", { href: address({ room: note.room }) }, roomTitle(world, { room: note.room, topic: null }))];
    return h(
      "li",
      {},
      h("p", {}, h("b", {}, note.username), " ", h("time", { datetime: note.at }, at), where),
      h("p", { class: "said" }, parts.map((part) => (part.key === undefined ? part : this.#link(note.room, part.key)))),
    );
  }

  #link(source, key) {
    const { room, topic } = this.page.view.route;
    return h("a", { href: address({ room, topic, entry: { source, key } }), class: "mono" }, key);
  }

  #elsewhere(news) {
    const { world } = this.page;
    const links = news.map(([room, n], i) => [
      i ? ", " : "",
      h("a", { href: address({ room }) }, `${plural(n, "note")} in ${roomTitle(world, { room, topic: null })}`),
    ]);
    redraw($("room-elsewhere"), JSON.stringify(news), news.length > 0 && ["Not read: ", links]);
  }

  #forms(room) {
    const { people } = this.page;
    const named = people.name !== null && !this.#renaming;
    $("compose").hidden = !named;
    $("name-form").hidden = named;
    const rooms = people.rooms.filter((source) => room === null || source.name === room);
    const choice = $("note-room").value;
    redraw($("note-room"), JSON.stringify(rooms.map(({ name, title }) => [name, title])), rooms.map(({ name, title }) => h("option", { value: name }, `to ${title}`)));
    if (rooms.some(({ name }) => name === choice)) $("note-room").value = choice;
    $("note-room").parentElement.hidden = room !== null;
    say($("name-why"), people.name ? "Without a name you only listen." : LISTENING);
  }

  #rename() {
    this.#renaming = true;
    $("name").value = this.page.people.name ?? "";
    this.draw();
    $("name").focus();
  }

  #enter(event) {
    event.preventDefault();
    this.#renaming = false;
    this.page.people.enter($("name").value);
    this.draw();
    (this.page.people.name ? $("note") : $("name")).focus();
  }

  async #send(event) {
    event.preventDefault();
    const text = $("note").value.trim();
    if (!text || !$("note-room").value) return;
    say($("room-fault"), "");
    const fault = await this.page.people.send($("note-room").value, text);
    if (fault) return say($("room-fault"), fault);
    if ($("note").value.trim() === text) $("note").value = "";
    this.#toEnd();
  }

  get #atEnd() {
    const { scrollTop, scrollHeight, clientHeight } = $("room");
    return scrollHeight - scrollTop - clientHeight < AT_THE_END;
  }

  #toEnd() {
    $("room").scrollTop = $("room").scrollHeight;
  }
}
