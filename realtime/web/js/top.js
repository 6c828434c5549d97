/** The first entries by a number, as the server has them: whichever the page holds itself. */

const MOST = 50; // entries of a list
const ACK_WITHIN = 10_000; // ms that the server has to answer

export class Top {
  #told = null; // the newest list that came

  /** @param socket a Socket.IO client. */
  constructor(socket) {
    this.socket = socket;
    socket.on("top_items", (top) => (this.#told = top));
  }

  /** `{items, as_of, …}` of a room, as they are now; null when the server has no such order. */
  async ask({ room, topic }, field, down) {
    const asked = { room: topic === null ? room : `${room}/${topic}`, by: field, order: down ? "desc" : "asc", limit: MOST, once: true };
    const answer = await this.socket.timeout(ACK_WITHIN).emitWithAck("request_top", asked).catch(() => null);
    const told = this.#told; // sent before the answer, on the same line
    return answer?.ok && told?.room === answer.room && told.by === field && told.order === asked.order ? told : null;
  }
}

/** "Top 50 by price", or "Lowest 50 by price" the other way round. */
export const topWords = (count, words, down) => `${down ? "Top" : "Lowest"} ${count} by ${words}`;
