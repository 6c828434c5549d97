/** What the fields of a source are called and how their values look. Values are what scrapers sent: text, mostly. */
import { number, titled } from "./format.js";

const DECIMAL = /^[-+]?\d+(\.\d+)?$/;
const NAMES = ["name", "title"];
const SAMPLE = 200; // entries looked at to learn the fields
const COLUMNS = 6;

/** The number in a value, also in a decimal text; null when it is none. */
export function numeric(value) {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.length < 25 && DECIMAL.test(value) ? Number(value) : null;
}

/** A value as text: decimals keep the digits they came with. */
export function show(value) {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(show).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  const n = numeric(value);
  if (n === null || Math.abs(n) > 1e15 || /^[-+]?0\d/.test(value)) return String(value);
  const digits = String(value).split(".")[1]?.length ?? 0;
  return digits === 0 && Math.abs(n) < 10_000 ? String(value) : number(n, digits);
}

/** What a person calls the entry. */
export function nameOf(key, data) {
  const field = NAMES.find((name) => typeof data?.[name] === "string" && data[name].trim());
  return field ? data[field] : key;
}

/** The field that a person's eye goes to first, or null. */
export function leadOf(info) {
  return info?.lead ?? Object.keys(info?.fields ?? {}).find((field) => !NAMES.includes(field)) ?? null;
}

export const labelOf = (info, field) => info?.fields?.[field]?.label ?? field.replaceAll("_", " ");
export const unitOf = (info, field) => info?.fields?.[field]?.unit ?? "";

/** A value with its unit. */
export function worth(info, field, value) {
  const text = show(value);
  return text && unitOf(info, field) ? `${text} ${unitOf(info, field)}` : text;
}

/** "+3.9 %", or nothing where a share of the old value says nothing. */
export function moved(before, after) {
  const [from, to] = [numeric(before), numeric(after)];
  if (from === null || to === null || from === to || from <= 0) return "";
  const share = (Math.abs(to - from) / from) * 100;
  return `${to > from ? "+" : "−"}${number(share, share < 0.1 ? 2 : 1)} %`;
}

/** What a change altered, the leading field first: [field, before, after]. `was` holds the old values. */
export function altered(info, data, was) {
  const lead = leadOf(info);
  return Object.keys(was ?? {})
    .sort((a, b) => (b === lead) - (a === lead))
    .map((field) => [field, was[field], data[field] ?? null]);
}

/** The columns of one source's table, learnt from some of its entries: {field, label, unit, num, cls}. */
export function columnsOf(info, rows) {
  const lead = leadOf(info);
  const known = Object.keys(info?.fields ?? {});
  const seen = new Map(); // field -> {numbers, values, longest}
  for (const { data } of rows.slice(0, SAMPLE)) for (const [field, value] of Object.entries(data)) learn(seen, field, value);
  const fields = [...new Set([lead, ...known, ...seen.keys()])].filter((field) => seen.has(field) && !NAMES.includes(field));
  return fields.slice(0, COLUMNS).map((field, place) => {
    const { numbers, values, longest } = seen.get(field);
    const num = info?.fields?.[field]?.num ?? (values > 0 && numbers === values);
    const width = field === lead && num ? "c-money" : longest > 14 ? "c-wide" : "c-small";
    const yields = place >= 3 ? " c-rare" : place >= 1 ? " c-opt" : "";
    return { field, label: titled(labelOf(info, field)), unit: unitOf(info, field), num, cls: width + yields };
  });
}

function learn(seen, field, value) {
  const told = seen.get(field) ?? { numbers: 0, values: 0, longest: 0 };
  const text = show(value);
  if (text) told.values += 1;
  if (numeric(value) !== null) told.numbers += 1;
  told.longest = Math.max(told.longest, text.length);
  seen.set(field, told);
}
