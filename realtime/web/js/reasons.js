/** Why a source is in doubt, in words for the person who reads on and for the one who must act. */
import { plural, span, when } from "./format.js";

const at = (iso, now) => when(Date.parse(iso), now);

/** Short, for a list: "failing since 09:41:00". */
export function reason(source, now) {
  const { state, info } = source;
  if (state === "fresh") return `fresh, ${plural(source.present, "entry", "entries")}`;
  if (state === "waiting" && source.present) return "no complete run yet";
  if (state === "waiting") return info.next_run ? `first run at ${at(info.next_run, now)}` : "no run yet";
  if (state === "suspect" && info.hold) return "suspect, removals held";
  return info.since ? `${state} since ${at(info.since, now)}` : state;
}

/** Runs since the last complete one, oldest first. */
export function broken(source) {
  const ended = source.runs.filter((run) => run.state !== "running");
  return ended.slice(ended.findLastIndex((run) => run.state === "complete") + 1);
}

/** A sentence or two: what is wrong and how old what one sees is. */
export function explained(source, now) {
  const { state, info, asOf } = source;
  const age = asOf === null ? "" : ` What you see is ${span((now - asOf) / 1000)} old.`;
  const told = info.reason ? sentence(info.reason) : "";
  if (state === "waiting" && source.present) return "Entries have come, but no run has said that it saw all of them.";
  if (state === "waiting") return info.next_run ? `No run yet, the first is at ${at(info.next_run, now)}.` : "No run has delivered anything yet.";
  if (state === "suspect") return told || "The last run would remove too many entries; it is held.";
  if (state === "stale") return `${told || `No complete run for ${span((now - (asOf ?? now)) / 1000)}${due(info)}.`}`;
  const runs = broken(source).length;
  return `${told || `${plural(runs, "run")} in a row failed.`}${age}`;
}

const due = (info) => (info.every ? `, one is due every ${span(info.every)}` : "");

const sentence = (words) => (/[.!?]$/.test(words) ? words : `${words}.`);

/** How a run ended, in a few words. */
export function outcome(run) {
  if (run.state === "running") return "under way";
  if (run.fault) return run.fault.message;
  if (run.state === "held") return "removals held";
  const changes = (run.new ?? 0) + (run.changed ?? 0) + (run.removed ?? 0) + (run.corrected ?? 0);
  const seen = `${run.seen} seen, ${changes ? plural(changes, "change") : "no change"}`;
  return run.state === "partial" ? `${seen}, not complete` : run.state === "failed" ? `failed, ${seen}` : seen;
}

/** The state a run's colour is of: a run that failed looks like the doubt it led to. */
export function doubtOf(run, source) {
  if (run.state === "failed") return source.doubtful ? source.state : "failing";
  return { held: "suspect", partial: "stale" }[run.state] ?? "fresh";
}

/** Seconds a run took, or null while it runs. */
export const took = (run) => (run.finished ? (Date.parse(run.finished) - Date.parse(run.started)) / 1000 : null);

export const schedule = (info) =>
  [info.schedule || (info.every ? `every ${span(info.every)}` : ""), info.fetch].filter(Boolean).join(", ");
