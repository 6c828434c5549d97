/** The top of the page: the claim, its caveat, what is unread; and the window's title. */
import { $, button, glyph, h, redraw } from "./dom.js";
import { KIND, hm } from "./format.js";
import { claim } from "./claim.js";

export function drawBand(page) {
  const { icon, where, head, caveat, state } = claim(page);
  const { line } = page;
  document.body.dataset.line = line.state;
  $("truth").dataset.state = state ?? "fresh";
  redraw($("claim"), [icon, where, head].join("|"), glyph(icon), " ", h("span", { id: "claim-text" }, where && h("span", { class: "where" }, where), head));
  redraw($("caveat"), textOf(caveat), caveat);
  drawNews(page);
  const total = page.reader.unread.size;
  document.title = line.state === "lost" ? "Not live · Portalwire" : `${total ? `(${total}) ` : ""}Portalwire`;
}

const textOf = (kids) => kids.flat(Infinity).filter(Boolean).map((kid) => kid.textContent ?? kid).join("|");

function drawNews({ line, reader, unreadHere, markRead }) {
  const rows = line.blind ? [] : unreadHere();
  const parts = Object.keys(KIND)
    .map((kind) => [rows.filter((row) => row.kind === kind).length, kind])
    .filter(([n]) => n)
    .map(([n, kind]) => `${n} ${kind}`);
  const words = line.blind ? "" : rows.length ? `${rows.length} unread` : "Nothing unread";
  redraw(
    $("news"),
    words + parts + reader.look,
    words && h("strong", { class: rows.length ? "" : "none" }, words),
    words && h("span", {}, `since ${hm(reader.look)}`, rows.length > 0 && h("span", { class: "parts" }, `: ${parts.join(", ")}`)),
    rows.length > 0 && button("text", markRead, "Mark read"),
  );
}
