/** The keyboard. Single keys act only outside fields, and not at all when the reader turned them off. */
import { $ } from "./dom.js";

const FIELDS = "input, textarea, select";

/** @param page the page. @param act single key -> function. */
export function listenToKeys(page, act) {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") return escape(page);
    if (arrow(page, event)) return event.preventDefault();
    const free = !event.ctrlKey && !event.metaKey && !event.altKey && !$("keys").open && !event.target.closest(FIELDS);
    if (!free || !page.settings.singleKeys || !(event.key in act)) return;
    event.preventDefault();
    act[event.key]();
  });
}

/** Arrows move over rows once the focus is in one. */
function arrow(page, event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || !$("rows").contains(document.activeElement)) return false;
  page.step(by);
  return true;
}

/** Close what is open, the topmost first; then leave the rows. */
function escape(page) {
  if ($("keys").open || document.querySelector(":popover-open")) return;
  if ("open" in $("rail").dataset) {
    page.closeSheet();
    $("sources-open").focus();
  } else if (document.activeElement === $("search")) $("search").blur();
  else if (page.room.foremost) page.room.close();
  else if (page.panel.open) page.panel.close();
  else if ($("rows").contains(document.activeElement)) page.table.release();
}
