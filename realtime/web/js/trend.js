/** The leading number of an entry over its versions, as a stepped line. */
import { svg } from "./dom.js";
import { labelOf, numeric, show, worth } from "./fields.js";
import { plural, titled } from "./format.js";
import { section } from "./panel.js";

const [WIDE, TOP, TALL] = [340, 6, 22];

/** @param versions of GET …/history, newest first. Null when there is no line to draw. */
export function trend(info, lead, versions) {
  const values = [];
  for (const { data, kind } of [...versions].reverse()) {
    const value = data?.[lead];
    if (kind !== "removed" && numeric(value) !== null && numeric(value) !== numeric(values.at(-1))) values.push(value);
  }
  if (values.length < 2) return null;
  const points = values.map(numeric);
  const [low, high] = [Math.min(...points), Math.max(...points)];
  const x = (i) => (i / points.length) * WIDE;
  const y = (n) => TOP + TALL - ((n - low) / (high - low || 1)) * TALL;
  const line = points.map((n, i) => `${i ? "V" : "M0 "}${y(n)}H${x(i + 1)}`).join("");
  const [first, last] = [values[0], values.at(-1)].map((value) => worth(info, lead, value, versions[0].data));
  const range = `From ${first} to ${last}; lowest ${show(String(low))}, highest ${show(String(high))}.`;
  return section(
    `${titled(labelOf(info, lead))} over ${plural(values.length, "value")}`,
    svg(
      "svg",
      { class: "trend", viewBox: `0 0 ${WIDE} 44`, role: "img", "aria-label": range },
      svg("path", { d: line }),
      svg("circle", { cx: WIDE, cy: y(points.at(-1)), r: 3 }),
      svg("text", { x: 0, y: 44 }, first),
      svg("text", { x: WIDE, y: 44, "text-anchor": "end" }, last),
    ),
  );
}
