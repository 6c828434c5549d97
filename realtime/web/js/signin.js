/**
 * Signing in, where the server asks for tokens: a dialog that opens when there is none that counts, or when it ends.
 * The token goes to the server once and comes back as a cookie that no script can read.
 *
 * `/?to=charts` is where the charts send whoever may not see them: signing in leads back there.
 *
 * Events: `access`, when `ended` changes; `named`, when `name` is known.
 */
import { $, say } from "./dom.js";

const TO_CHARTS = new URLSearchParams(location.search).get("to") === "charts";
const CHARTS = "The charts show every source: they need a token that may join all of them.";
const REFUSALS = ["unauthenticated", "expired", "revoked"];

export class SignIn extends EventTarget {
  name = null; // whose token it is
  ended = null; // why nothing comes any more, in the server's words

  constructor(socket, api) {
    super();
    this.api = api;
    socket.on("error", (error) => this.#look(error));
    socket.on("connect_error", ({ data }) => this.#look(data));
    $("sign-in-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    $("sign-out").addEventListener("click", () => this.#leave());
    this.#greet();
  }

  open() {
    if (!$("sign-in").open) $("sign-in").showModal();
  }

  async #greet() {
    const { tokens, name } = await this.api.ask("/api/session").catch(() => ({}));
    $("signed-in").hidden = !(tokens && name);
    if (!tokens || !name) return;
    this.name = name;
    say($("signed-in-as"), name);
    this.dispatchEvent(new Event("named"));
    if (!TO_CHARTS) return;
    say($("sign-in-why"), CHARTS);
    this.open();
  }

  #look(error) {
    if (!REFUSALS.includes(error?.code)) return;
    this.ended = error.code === "unauthenticated" ? "This server asks for a token." : error.message;
    say($("sign-in-why"), this.ended);
    this.dispatchEvent(new Event("access"));
    this.open();
  }

  async #send() {
    say($("sign-in-fault"), "");
    try {
      await this.api.ask("/api/session", { method: "POST", body: { token: $("sign-in-token").value.trim() } });
      if (TO_CHARTS) location.assign("/dashboard/");
      else location.reload();
    } catch (error) {
      say($("sign-in-fault"), error.message);
    }
  }

  async #leave() {
    await this.api.ask("/api/session", { method: "DELETE" }).catch(() => {});
    location.reload();
  }
}
