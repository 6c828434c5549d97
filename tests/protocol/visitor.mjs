/**
 * The official client, told what to do line by line: `node visitor.mjs URL NAMESPACE TRANSPORTS PARSER`.
 *
 * In: {id, event, arguments}. Out: {connected}, {ack, value}, {event, arguments}, {ended}. Bytes are {"hex": "00ff"}.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [url, space, transports, parser] = process.argv.slice(2);
const load = createRequire(import.meta.url);
const { io } = load("socket.io-client");
const speaking = parser === "msgpack" ? { parser: load("socket.io-msgpack-parser") } : {};
const socket = io(url + space, { transports: transports.split(","), reconnection: false, ...speaking });

const print = (what) => process.stdout.write(`${JSON.stringify(what, (_, value) => shown(value))}\n`);
const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value) || value?.type === "Buffer";
const bytesOf = (value) => Buffer.from(value?.type === "Buffer" ? value.data : (value.buffer ?? value));
const shown = (value) => (isBytes(value) ? { hex: bytesOf(value).toString("hex") } : value);
const meant = (_, value) => (value?.hex === undefined ? value : Buffer.from(value.hex, "hex"));

socket.onAny((event, ...values) => {
  const answer = typeof values.at(-1) === "function" ? values.pop() : null;
  print({ event, arguments: values });
  answer?.(values[0] * 2);
});
socket.on("connect", () => print({ connected: socket.id }));
socket.on("disconnect", (reason) => print({ ended: reason }));
socket.io.engine?.on("upgrade", ({ name }) => print({ upgraded: name }));
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, event, arguments: values } = JSON.parse(line, meant);
  socket.emit(event, ...values, (...value) => print({ ack: id, value: value.length > 1 ? value : value[0] }));
});
