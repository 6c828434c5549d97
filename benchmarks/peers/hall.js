/** Node's socket.io as its documentation has it: `node hall.js PORT`; GET /go?m=MESSAGES&rate=R&y=1 emits. */
const http = require("http");
const { Server } = require("socket.io");

const entry = (seq) => ({
  id: `e-${String(seq).padStart(8, "0")}`,
  source: "example",
  title: `Entry number ${seq} of the feed, with a usual headline`,
  url: `https://example.org/news/2026/11/22/entry-${seq}.html`,
  summary: "A short summary of the entry, one sentence long, as it is shown in the list.",
  seq,
  t: Number(process.hrtime.bigint()),
});

/** m messages: R a second, or one a turn of the event loop (y), or all at once. */
function emit(io, m, rate, y) {
  const began = process.hrtime.bigint();
  let seq = 0;
  const one = () => io.to("r").emit("entry", entry(seq++));
  const step = () => {
    if (seq >= m) return;
    const wait = rate ? Number(began + BigInt(Math.round((seq * 1e9) / rate)) - process.hrtime.bigint()) / 1e6 : 0;
    if (wait > 0) return setTimeout(step, wait);
    one();
    setImmediate(step);
  };
  if (rate || y) return step();
  while (seq < m) one();
}

const server = http.createServer();
const io = new Server(server);
io.on("connection", (socket) =>
  socket.on("subscribe", ({ room }, done) => {
    socket.join(room);
    done();
  }),
);
const [engine] = server.listeners("request").splice(0);
server.removeAllListeners("request");
server.on("request", (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  if (pathname !== "/go") return engine(request, response);
  response.end("ok");
  setImmediate(() => emit(io, ...["m", "rate", "y"].map((name) => Number(searchParams.get(name)))));
});
server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
