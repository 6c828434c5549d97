/* The charts go on by themselves: what Socket.IO pushes is put into their arrays, and each chart is drawn once a frame.
   A figure says in layout.meta what continues it, and up to which offset of each source it was drawn from the store. */

window.dash_clientside = window.dash_clientside || {};

(() => {
  const MINUTE = 60000;
  const KINDS = ["new", "changed", "corrected", "removed"];
  const DELIVERED = ["kinds", "lines", "points"]; // the charts of deliveries
  const MOST = 2000; // points of a trace
  const KEPT = 2000; // pulses that are kept for figures that were drawn from the store before they came
  const STICKS = 240;

  let socket = null;
  let times = 0;
  let pulses = [];
  const rooms = {}; // chart -> the room it follows
  const dirty = new Set();

  const plot = name => document.querySelector(`#${name} .js-plotly-plot`);
  const minuteOf = at => new Date(Math.floor(Date.parse(at) / MINUTE) * MINUTE).toISOString();
  const tell = words => window.dash_clientside.set_props("line", { children: words });

  function redraw(name) {
    if (!dirty.size) requestAnimationFrame(() => {
      for (const chart of dirty) {
        const gd = plot(chart);
        if (gd) window.Plotly.react(gd, gd.data, { ...gd.layout, datarevision: Date.now() });
      }
      dirty.clear();
    });
    dirty.add(name);
  }

  /** Adds to the bar or point of a minute. Minutes come in order, or are among the last ones. */
  function add(trace, minute, count) {
    const at = trace.x.lastIndexOf(minute);
    if (at >= 0) trace.y[at] += count;
    else {
      trace.x.push(minute);
      trace.y.push(count);
    }
  }

  function traceOf(gd, source) {
    let trace = gd.data.find(each => each.meta === source);
    if (!trace) {
      const like = gd.data.at(-1);
      trace = { ...structuredClone(like ?? { type: "scatter", mode: "markers" }), name: source, meta: source, x: [], y: [] };
      gd.data.push(trace);
    }
    return trace;
  }

  /** The chart, if a delivery is news to it; then it is not any more. */
  function news(name, { source, offset }) {
    const gd = plot(name);
    const heads = gd?.layout?.meta?.heads;
    if (!heads || offset <= (heads[source] ?? 0)) return null;
    heads[source] = offset;
    return gd;
  }

  /** A delivery, into the three charts that show deliveries; however often it is offered. */
  function take(point) {
    const count = KINDS.reduce((sum, kind) => sum + point[kind], 0);
    const minute = minuteOf(point.at);
    const [kinds, lines, points] = DELIVERED.map(name => news(name, point));
    if (kinds) {
      for (const kind of KINDS) if (point[kind]) add(traceOf(kinds, kind), minute, point[kind]);
      redraw("kinds");
    }
    if (lines) {
      add(traceOf(lines, point.source), minute, count);
      redraw("lines");
    }
    if (points) {
      const trace = traceOf(points, point.source);
      trace.x.push(point.at);
      trace.y.push(count);
      if (trace.x.length > MOST) trace.x.shift(), trace.y.shift();
      redraw("points");
    }
  }

  /** Of the room that the chart was drawn from: what another window's room said may still be on its way. */
  function candle(of, change) {
    const gd = plot("candles");
    const meta = gd?.layout?.meta;
    const { symbol, start, open, high, low, close } = change.data ?? {};
    if (of !== meta?.room || symbol !== meta.symbol || change.kind === "removed") return;
    const trace = gd.data[0];
    let at = trace.x.indexOf(start);
    if (at < 0) {
      at = trace.x.findIndex(other => other > start);
      if (at < 0) at = trace.x.length;
      for (const part of ["x", "open", "high", "low", "close"]) trace[part].splice(at, 0, null);
    }
    trace.x[at] = start;
    Object.assign(trace.open, { [at]: Number(open) });
    Object.assign(trace.high, { [at]: Number(high) });
    Object.assign(trace.low, { [at]: Number(low) });
    Object.assign(trace.close, { [at]: Number(close) });
    if (trace.x.length > STICKS) for (const part of ["x", "open", "high", "low", "close"]) trace[part].shift();
    redraw("candles");
  }

  function top(list) {
    const gd = plot("top");
    const meta = gd?.layout?.meta;
    if (!meta || list.room !== meta.room || list.by !== meta.by) return;
    const [trace] = gd.data;
    trace.x = list.items.map(item => Number(item.value));
    trace.y = list.items.map(item => `${item.key} `);
    trace.text = list.items.map(item => item.data?.name ?? item.data?.title ?? item.key);
    redraw("top");
  }

  /** From now on the chart is offered what came while it was read, each time it was drawn. */
  function heed(name) {
    const gd = plot(name);
    if (!gd?.on) requestAnimationFrame(() => heed(name));
    else if (!gd.heeds) {
      gd.heeds = true;
      gd.on("plotly_afterplot", () => pulses.forEach(take));
    }
  }

  async function connect() {
    const { io } = await import("/static/vendor/socket.io.esm.min.js");
    socket = io({ transports: ["websocket"] });
    let seen = 0, waiting = null;
    const states = {}; // source -> what its watermark said of it
    socket.on("connect", () => {
      socket.emit("join", { room: "*" }, () => {
        tell("Live");
        window.dash_clientside.set_props("connected", { data: ++times });
      });
    });
    socket.on("disconnect", () => tell("Not live: trying again"));
    socket.on("pulse", ({ points }) => {
      pulses = [...pulses, ...points].slice(-KEPT);
      points.forEach(take);
    });
    socket.on("entries", ({ room, changes }) => {
      if (room === rooms.candles) changes.forEach(change => candle(room, change));
    });
    socket.on("top_items", top);
    socket.on("watermark", ({ room, state, run }) => {
      const said = `${state} ${run}`;
      if (states[room] === said) return;
      states[room] = said;
      waiting ??= setTimeout(() => {
        waiting = null;
        window.dash_clientside.set_props("seen", { data: ++seen });
      }, 1000);
    });
  }

  function rejoin(name, payload, event) {
    const said = JSON.stringify(payload ?? null);
    if (rooms[`${name} said`] === said) return;
    rooms[`${name} said`] = said;
    if (rooms[name] && rooms[name] !== payload?.room) socket.emit("leave", { room: rooms[name] });
    rooms[name] = payload?.room;
    if (payload) socket.emit(event, payload, answer => answer?.ok || console.warn(answer?.error?.message));
  }

  window.dash_clientside.portalwire = {
    /** Called with every figure that the server drew: follow what it stands for from where it ends. */
    follow(kinds, candles, ranked) {
      if (!socket) connect();
      else {
        const now = `${times} `;
        const { room, offset: since, epoch, symbol } = candles?.layout?.meta ?? {};
        rejoin("candles", room && { room, since, epoch, symbol, times: now }, "join");
        const { room: of, by, limit } = ranked?.layout?.meta ?? {};
        rejoin("top", of && { room: of, by, limit, times: now }, "request_top");
      }
      DELIVERED.forEach(heed);
      return times;
    },
  };
})();
