/** The server's clock, as it ticks; nothing where it does not. */
import { $, say } from "./dom.js";
import { hms } from "./format.js";

const SILENCE = 3_000; // ms without a tick: it moves to another process within three seconds

export class Clock {
  #heard = -Infinity;

  constructor(socket) {
    socket.on("time", ({ time }) => this.#tick(time));
    socket.on("disconnect", () => this.#stop());
  }

  /** Called once a second. */
  look() {
    if (performance.now() - this.#heard > SILENCE + 1_000) this.#stop();
  }

  #tick(time) {
    this.#heard = performance.now();
    $("clock").dateTime = time;
    say($("clock"), hms(Date.parse(time)));
  }

  #stop() {
    $("clock").removeAttribute("datetime");
    say($("clock"), "--:--:--");
  }
}
