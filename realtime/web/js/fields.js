/** What the fields of a source are called and how their values look. Values are what scrapers sent: text, mostly. */
import { number, titled } from "./format.js";

const DECIMAL = /^[-+]?\d+(\.\d+)?$/;
const NAMES = ["name", "title"];
const CURRENCY = "currency";
const SAMPLE = 200; // entries looked at to learn the fields
const COLUMNS = 5;

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

/** The unit of a field; the leading number of an entry that names a currency is in that currency. */
export function unitOf(info, field, data) {
  const unit = info?.fields?.[field]?.unit;
  if (unit !== undefined) return unit;
  return field === leadOf(info) && numeric(data?.[field]) !== null && typeof data[CURRENCY] === "string" ? data[CURRENCY] : "";
}

/** A value with its unit. */
export function worth(info, field, value, data) {
  const [text, unit] = [show(value), unitOf(info, field, data)];
  return text && unit ? `${text} ${unit}` : text;
}

/** "+3.9 %" of the leading number; nothing where a share of the old value says nothing. */
export function moved(info, field, before, after) {
  if (field !== leadOf(info)) return "";
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

/** What an entry has beside its name and its leading value, in the source's order. */
export function othersOf(info, data) {
  const lead = leadOf(info);
  const absorbed = (field) => field === CURRENCY && lead in data && unitOf(info, lead, data) === data[CURRENCY];
  const all = [...new Set([...Object.keys(info?.fields ?? {}), ...Object.keys(data)])];
  return all.filter((field) => field in data && field !== lead && !NAMES.includes(field) && !absorbed(field));
}

/** The columns of one source's table, learnt from some of its entries: {field, label, unit, num, cls}. */
export function columnsOf(info, rows) {
  const lead = leadOf(info);
  const known = Object.keys(info?.fields ?? {});
  const seen = new Map(); // field -> {numbers, values, longest}
  for (const { data } of rows.slice(0, SAMPLE)) for (const [field, value] of Object.entries(data)) learn(seen, field, value);
  const currency = seen.get(CURRENCY)?.only ?? null; // one for all: it goes to the head
  const told = (field) => seen.has(field) && !NAMES.includes(field) && !(field === CURRENCY && currency);
  const fields = [...new Set([lead, ...known, ...seen.keys()])].filter(told);
  return fields.slice(0, COLUMNS).map((field, place) => {
    const { numbers, values, longest } = seen.get(field);
    const num = info?.fields?.[field]?.num ?? (values > 0 && numbers === values);
    const width = field === lead && num ? "c-money" : longest > 14 ? "c-wide" : "c-small";
    const yields = ["", " c-opt", " c-opt", " c-rare", " c-spare"][place];
    return { field, label: titled(labelOf(info, field)), unit: unitOf(info, field, { [field]: 0, [CURRENCY]: currency }), num, cls: width + yields };
  });
}

function learn(seen, field, value) {
  const text = show(value);
  const told = seen.get(field) ?? { numbers: 0, values: 0, longest: 0, only: text };
  if (told.only !== text) told.only = null;
  if (text) told.values += 1;
  if (numeric(value) !== null) told.numbers += 1;
  told.longest = Math.max(told.longest, text.length);
  seen.set(field, told);
}
