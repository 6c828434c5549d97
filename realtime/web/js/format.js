/** Times and numbers as a reader sees them. Times are the desk's own, 24 h. */

const pad = (n) => String(n).padStart(2, "0");

/** 10:31:52 of a time in ms. */
export function hms(t) {
  const d = new Date(t);
  return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

export const hm = (t) => hms(t).slice(0, 5);

/** With seconds today, with the day before that. */
export function when(t, now = Date.now()) {
  if (new Date(t).toDateString() === new Date(now).toDateString()) return hms(t);
  const sameYear = new Date(t).getFullYear() === new Date(now).getFullYear();
  const day = new Date(t).toLocaleDateString("en-GB", {
    weekday: sameYear ? "short" : undefined,
    day: "numeric",
    month: "short",
    year: sameYear ? undefined : "numeric",
  });
  return `${day}, ${hm(t)}`;
}

/** A length of time, in seconds, in words. */
export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A whole number or one with `digits` decimals, in groups of three. */
export const number = (n, digits = 0) => (numbers[digits] ??= withDigits(digits)).format(n);

const numbers = []; // digits -> how they are written; to make one takes a hundred times as long as to use it
const withDigits = (digits) => new Intl.NumberFormat("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

export const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

export const titled = (words) => words.charAt(0).toUpperCase() + words.slice(1);

export const KIND = { new: "New", changed: "Changed", removed: "Removed", corrected: "Corrected" };
