// A producer in JavaScript (Node), without any package: it puts jobs on FMgo's list and waits until one is issued.
//
//   FMGO_REDIS_URL=redis://:password@host:port/0 node docs/examples/producer.mjs [--wait SECONDS] < jobs.jsonl
//
// One job a line. Each is put on the list `fmgo.jobs`; with --wait the hash `fmgo:result:{id}` of the last one is read
// until it is issued or ended, and written as JSON. The id is computed from issuer, environment and key, as anybody can.
import { createHash } from "node:crypto";
import { createConnection } from "node:net";
import { readFileSync } from "node:fs";

const url = new URL(process.env.FMGO_REDIS_URL);
const seconds = process.argv[2] === "--wait" ? Number(process.argv[3]) : 0;
const jobs = readFileSync(0, "utf8").split("\n").filter((line) => line.trim() !== "");

const socket = createConnection({ host: url.hostname, port: Number(url.port || 6379) });
const waiting = [];
let received = Buffer.alloc(0);
socket.on("data", (bytes) => {
  received = Buffer.concat([received, bytes]);
  for (let reply = take(0); reply && waiting.length > 0; reply = take(0)) {
    received = received.subarray(reply.end);
    const { done, failed } = waiting.shift();
    reply.value instanceof Error ? failed(reply.value) : done(reply.value);
  }
});
socket.on("error", (error) => { console.error(error.message); process.exit(1); });

// Writes one command of RESP: an array of strings, each with its length in bytes.
function command(...words) {
  const parts = [`*${words.length}\r\n`];
  for (const word of words) parts.push(`$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  socket.write(parts.join(""));
  return new Promise((done, failed) => waiting.push({ done, failed }));
}

// Reads one reply that begins at `start`; undefined while it isn't whole.
function take(start) {
  const line = received.indexOf("\r\n", start);
  if (line < 0) return undefined;
  const text = received.toString("utf8", start + 1, line);
  const after = line + 2;
  switch (String.fromCharCode(received[start])) {
    case "+": return { value: text, end: after };
    case "-": return { value: new Error(text), end: after };
    case ":": return { value: Number(text), end: after };
    case "$": {
      const end = after + Number(text);
      if (Number(text) < 0) return { value: null, end: after };
      return received.length < end + 2 ? undefined : { value: received.toString("utf8", after, end), end: end + 2 };
    }
    default: {
      const items = [];
      let end = after;
      for (let left = Number(text); left > 0; left--) {
        const item = take(end);
        if (item === undefined) return undefined;
        items.push(item.value);
        end = item.end;
      }
      return { value: items, end };
    }
  }
}

// The first half of the SHA-256 of environment, issuer, attempt and key, a line each, written as a UUID.
function documentId({ environment = "certification", issuer, idempotency_key: key }) {
  const hex = createHash("sha256").update([environment, issuer, "1", key].join("\n")).digest("hex");
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

if (url.password) await command("AUTH", ...[url.username, url.password].filter(Boolean).map(decodeURIComponent));
await command("SELECT", url.pathname.slice(1) || "0");
const length = await command("LPUSH", "fmgo.jobs", ...jobs);
console.log(JSON.stringify({ queued: jobs.length, length }));

if (seconds > 0) {
  const id = documentId(JSON.parse(jobs.at(-1)));
  const ends = Date.now() + seconds * 1000;
  let state = null;
  do {
    const pairs = await command("HGETALL", `fmgo:result:${id}`);
    const found = Object.fromEntries(pairs.flatMap((name, n) => (n % 2 ? [] : [[name, pairs[n + 1]]])));
    state = found.state ?? null;
    if (state && state !== "waiting") {
      console.log(JSON.stringify({ id, state, ...JSON.parse(found.result ?? "{}"), xml: found.xml, ted: found.ted }));
      break;
    }
    await new Promise((done) => setTimeout(done, 100));
  } while (Date.now() < ends);
  if (!state) { console.error(`no result of ${id} within ${seconds} s`); process.exitCode = 1; }
}
socket.end();
