/**
 * The address carries the view, the room and what is open:
 *
 *     #/live                          all sources
 *     #/live/SOURCE                   one source
 *     #/live/SOURCE/TOPIC             one topic of it
 *     #/live/SOURCE/TOPIC-or--/KEY    an entry open in that room
 *     #/live/-/SOURCE/KEY             an entry open beside all sources
 *     #/health, #/health/SOURCE       the sources; one of them open
 *     #/health/SOURCE-or--/rejected   rejected entries, of one source or all
 *     #/health/SOURCE/held            the batch that waits for a decision
 */

const NONE = "-";

/** {view, room, topic, entry, source, part} of an address; what is not in it is null. */
export function parse(hash) {
  const [view, ...rest] = hash.replace(/^#?\/?/, "").split("/").map(decode);
  const [first = null, second = null, third = null] = rest.map((part) => part || null);
  if (view === "health") return { ...EMPTY, view, source: real(first), part: second };
  if (first === NONE) return { ...EMPTY, entry: second && third ? { source: second, key: third } : null };
  const entry = first && third ? { source: first, key: third } : null;
  return { ...EMPTY, room: first, topic: real(second), entry };
}

const EMPTY = { view: "live", room: null, topic: null, entry: null, source: null, part: null };

/** The address of a route, the reverse of `parse`. */
export function address({ view = "live", room = null, topic = null, entry = null, source = null, part = null }) {
  if (view === "health") return join(["health", part ? (source ?? NONE) : source, part]);
  if (!entry) return join(["live", room, topic]);
  if (!room) return join(["live", NONE, entry.source, entry.key]);
  return join(["live", room, topic ?? NONE, entry.key]);
}

const join = (parts) => `#/${parts.filter((part) => part !== null).map(encodeURIComponent).join("/")}`;

const real = (part) => (part === NONE ? null : part);

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
