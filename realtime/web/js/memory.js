/** What this browser keeps for the reader between visits. A browser that keeps nothing is no error. */

const PREFIX = "portalwire.";

export function recall(name, otherwise = null) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full or forbidden: the page works the same, it only forgets.
  }
}
