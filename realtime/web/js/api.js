/** The server's HTTP side, and its clock. */

class ApiError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Api {
  #skew = 0; // ms that the server's clock is ahead of ours

  /** What the server's clock says now, in ms, to a second or so. */
  now() {
    return Date.now() + this.#skew;
  }

  /** The JSON at `path`; ApiError with the server's own words when it declines, or when it cannot be reached. */
  async ask(path, { method = "GET", body: sent } = {}) {
    const headers = { Accept: "application/json", ...(sent && { "Content-Type": "application/json" }) };
    const response = await fetch(path, { method, headers, body: sent && JSON.stringify(sent), cache: "no-store" }).catch(() => {
      throw new ApiError("unreachable", "The server cannot be reached.");
    });
    this.#readClock(response.headers.get("Date"));
    const body = await response.json().catch(() => null);
    if (response.ok && body !== null) return body;
    throw new ApiError(body?.error?.code ?? "failed", body?.error?.message ?? `The server answered ${response.status}.`);
  }

  #readClock(date) {
    if (!date) return;
    const difference = Date.parse(date) + 500 - Date.now();
    this.#skew = Math.abs(difference) > 2_000 ? difference : 0;
  }
}

/** /api/a/b?c=d, each part made safe; parameters without a value are left out. */
export function path(parts, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return `/api/${parts.map(encodeURIComponent).join("/")}${query && `?${query}`}`;
}
