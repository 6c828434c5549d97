/** What the narrow page folds away: the sources in a sheet, the filter under its button. */
import { $ } from "./dom.js";

/** Wires both; returns a function that closes the sheet. */
export function fold() {
  const close = () => {
    delete $("rail").dataset.open;
    $("sources-open").setAttribute("aria-expanded", "false");
  };
  $("sources-open").addEventListener("click", () => {
    const open = $("rail").toggleAttribute("data-open");
    $("sources-open").setAttribute("aria-expanded", String(open));
    if (open) $("rail").querySelector("[aria-current]")?.focus();
  });
  $("filter-open").addEventListener("click", () => {
    const open = $("filters").toggleAttribute("data-open");
    $("filter-open").setAttribute("aria-expanded", String(open));
    if (open) $("search").focus();
  });
  addEventListener("click", (event) => beside(event, close), true);
  return close;
}

/** A tap beside the sheet closes it and does nothing else. */
function beside(event, close) {
  if (!("open" in $("rail").dataset) || event.target.closest("#rail, #sources-open")) return;
  event.preventDefault();
  event.stopPropagation();
  close();
}
