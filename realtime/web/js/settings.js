/** Theme, row height and shortcuts: the reader's own, kept in this browser. */
import { $ } from "./dom.js";
import { keep, recall } from "./memory.js";

const DEFAULTS = { theme: "auto", density: "compact" };

export class Settings {
  /** @param onrows called when rows have another height. */
  constructor(onrows) {
    this.onrows = onrows;
    for (const name of Object.keys(DEFAULTS)) this.#choose(name, recall(name, DEFAULTS[name]));
    $("single-keys").checked = recall("keys", true);
    $("settings").addEventListener("change", ({ target }) => {
      if (target.id === "single-keys") keep("keys", target.checked);
      else this.#choose(target.name, target.value);
    });
  }

  get singleKeys() {
    return $("single-keys").checked;
  }

  /** Light to dark and back, from what is seen now. */
  turnTheme() {
    const { theme } = document.documentElement.dataset;
    const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    this.#choose("theme", dark ? "light" : "dark");
  }

  turnDensity() {
    this.#choose("density", document.documentElement.dataset.density === "compact" ? "roomy" : "compact");
  }

  #choose(name, value) {
    const choice = [...document.querySelectorAll(`#settings [name=${name}]`)].find((input) => input.value === value);
    if (!choice) return;
    choice.checked = true;
    document.documentElement.dataset[name] = value;
    keep(name, value);
    if (name === "density") this.onrows();
  }
}
