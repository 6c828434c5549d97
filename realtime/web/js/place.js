/** Where the reader is, and what may be said about it. */
import { worstFirst } from "./source.js";

/** The name of a room for a person: "Vendor X, steel". */
export function roomTitle(world, { room, topic }) {
  if (room === null) return "All sources";
  const title = world.sources.get(room)?.title ?? room;
  return topic === null ? title : `${title}, ${topic}`;
}

/**
 * ms up to which nothing is missing in the room, or null. For all sources it is the oldest time of the fresh ones:
 * never too good.
 */
export function vouchedTo(world, room) {
  if (room !== null) return world.sources.get(room)?.asOf ?? null;
  const times = world.list.filter((source) => !source.quiet && source.state === "fresh" && source.asOf !== null).map((source) => source.asOf);
  return times.length ? Math.min(...times) : null;
}

/** ms before which nothing was known of the room; Infinity when nothing is. */
export function knownFrom(world, room) {
  const sources = room === null ? world.list : world.list.filter((source) => source.name === room);
  return Math.min(...sources.map((source) => source.firstKnown));
}

/** A fresh source that holds the time of all sources back: two of its runs are overdue. */
export function latecomer(world, now) {
  return world.list.find(
    ({ state, asOf, info, quiet }) => !quiet && state === "fresh" && asOf !== null && info.every && now - asOf > (2 * info.every + 10) * 1000,
  );
}

export const doubtful = (world) => worstFirst(world.list);
