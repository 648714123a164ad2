// Password sign-ins, refreshes, introspections and sign-ups per second against the real server, on
// SQLite and, where PLINTO_TEST_POSTGRES names a server, on Postgres; and whether an unknown account
// takes as long as a wrong password (statement A4); and what the server weighs at the height of these
// storms and some seconds after one. Beside it, in the same run: a Node server that
// answers a constant over the same sockets, which is what the load generator can do at most.
//
// A rate "per core" divides by the processor time that the server itself has used (its database
// server's is not in it): the load generator shares the machine, so rates on the clock say little.
//
// usage: scripts/with-postgres.sh node benches/people.mjs [path of plinto-control-plane]

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { cpus } from "node:os";
import { join } from "node:path";
import { folder, freePort, memoryMb, plain, server, start, stop, untilAnswered } from "./processes.mjs";

const PASSWORD = "gavotte brindle quokka tessellate";
const CONCURRENCY = 32;
const PEOPLE = 96;
const SECONDS = 8;
const PAIRS = 1_000;
const TICKS_PER_S = 100; // USER_HZ on every Linux
const IDLE_S = 25; // the server closes a connection that rests for 30 s
const MEMORY_MB = { height: 100, idle: 64 };

const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });

function post(url, body, headers) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: "POST", headers: { ...headers, "content-length": Buffer.byteLength(body) } }, (incoming) => {
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("end", () => resolve({ status: incoming.statusCode, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

// Each request comes from an address of its own: one address that fails a thousand times is throttled.
let addresses = 0;
const json = (url, body) =>
  post(url, JSON.stringify(body), {
    "content-type": "application/json",
    "x-bench-address": `10.${(++addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`,
  });
const form = (url, fields, key) =>
  post(url, new URLSearchParams(fields).toString(), {
    "content-type": "application/x-www-form-urlencoded",
    ...(key && { authorization: `Bearer ${key}` }),
  });

async function insist(status, answer) {
  const { status: got, text } = await answer;
  if (got !== status) throw new Error(`${got} in place of ${status}: ${text}`);
  return text === "" ? {} : JSON.parse(text);
}

function processorSeconds(pid) {
  // The name in brackets may hold spaces; utime and stime are fields 14 and 15.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Runs `work(worker)` on each of `CONCURRENCY` workers over and over for a while. */
async function load(pid, work) {
  const until = performance.now() + SECONDS * 1000;
  const began = performance.now();
  const before = processorSeconds(pid);
  let done = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async (_, worker) => {
      while (performance.now() < until) {
        await work(worker, done);
        done += 1;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  return { perSecond: done / seconds, perCore: done / (processorSeconds(pid) - before) };
}

async function measure(engine, database) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...plain,
    PLINTO_LISTEN: `127.0.0.1:${port}`,
    PLINTO_PUBLIC_URL: url,
    PLINTO_DATABASE_URL: database,
    PLINTO_MASTER_KEY: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    PLINTO_HTTP_REQUESTS_PER_MINUTE: "0",
    PLINTO_HTTP_CLIENT_IP_HEADER: "x-bench-address",
    PLINTO_LOG_FILTER: "warn",
  };
  const made = spawnSync(server, ["bootstrap", "--tenant", "bench", "--audience", "https://api.bench.example"], { env, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`bootstrap failed: ${made.stderr}`);
  const key = JSON.parse(made.stdout).api_key;
  const serving = start(server, ["serve"], { env, stdio: ["ignore", "ignore", "inherit"] });
  const base = `${url}/t/bench`;
  try {
    await untilAnswered(`${url}/readyz`, serving, 10);
    const email = (at) => `person${at}@example.com`;
    const signUp = (at) => insist(201, json(`${base}/v1/sign_up`, { email: email(at), password: PASSWORD }));
    const people = [];
    for (let at = 0; at < PEOPLE; at += 1) people.push(await signUp(at));

    const rates = {};
    rates["sign-up"] = await load(serving.pid, (worker, at) => signUp(`-${worker}-${at}`));
    rates["sign-in"] = await load(serving.pid, (worker, at) =>
      insist(200, json(`${base}/v1/sign_in`, { email: email((worker + at * CONCURRENCY) % PEOPLE), password: PASSWORD })),
    );
    const height = memoryMb(serving.pid, "VmHWM");
    await new Promise((resolve) => setTimeout(resolve, IDLE_S * 1000));
    weigh(engine, { height, idle: memoryMb(serving.pid, "VmRSS") });
    const tokens = people.slice(0, CONCURRENCY).map((person) => person.refresh_token);
    rates.refresh = await load(serving.pid, async (worker) => {
      const fields = { grant_type: "refresh_token", refresh_token: tokens[worker] };
      tokens[worker] = (await insist(200, form(`${base}/oauth/token`, fields))).refresh_token;
    });
    rates["introspect access token"] = await load(serving.pid, async (worker) => {
      const known = await insist(200, form(`${base}/oauth/introspect`, { token: people[worker].access_token }, key));
      if (!known.active) throw new Error("a live token is not active");
    });
    rates["introspect refresh token"] = await load(serving.pid, async (worker) => {
      const known = await insist(200, form(`${base}/oauth/introspect`, { token: tokens[worker] }, key));
      if (!known.active) throw new Error("a live token is not active");
    });
    report(engine, rates);
    await compareUnknown(engine, base, people.length);
  } finally {
    await stop(serving);
  }
}

/** A4: paired attempts, one with a wrong password and one under an address nobody has. */
async function compareUnknown(engine, base) {
  const times = { known: [], unknown: [] };
  const attempt = async (kind, email) => {
    const began = performance.now();
    await insist(401, json(`${base}/v1/sign_in`, { email, password: "not the password at all" }));
    times[kind].push(performance.now() - began);
  };
  // Ten failures per account stay below its throttle.
  for (let pair = 0; pair < PAIRS; pair += 1) {
    if (pair % (PEOPLE * 8) === 0 && pair > 0) {
      for (let at = 0; at < PEOPLE; at += 1) {
        await json(`${base}/v1/sign_in`, { email: `person${at}@example.com`, password: PASSWORD });
      }
    }
    const at = pair % PEOPLE;
    const order = [["known", `person${at}@example.com`], ["unknown", `nobody${pair}@example.com`]];
    for (const [kind, email] of pair % 2 === 0 ? order : order.reverse()) await attempt(kind, email);
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const [known, unknown] = [median(times.known), median(times.unknown)];
  const apart = Math.abs(known - unknown);
  const percent = (100 * apart) / known;
  console.log(
    `${engine.padEnd(10)} A4: wrong password ${known.toFixed(2)} ms, unknown account ${unknown.toFixed(2)} ms, ` +
      `${apart.toFixed(2)} ms (${percent.toFixed(1)} %) apart over ${PAIRS} pairs`,
  );
  if (apart > 2 || percent > 5) {
    console.log("over the limit of 2 ms and 5 %");
    process.exitCode = 1;
  }
}

function weigh(engine, memory) {
  console.log(
    `${engine.padEnd(10)} memory: ${memory.height.toFixed(0)} MB at the height of sign-ups and sign-ins, ` +
      `${memory.idle.toFixed(0)} MB ${IDLE_S} s later`,
  );
  for (const [when, limit] of Object.entries(MEMORY_MB)) {
    if (memory[when] <= limit) continue;
    console.log(`over the limit: ${when} ${memory[when].toFixed(0)} MB > ${limit}`);
    process.exitCode = 1;
  }
}

async function compareNothing() {
  const port = await freePort();
  const child = start(
    process.execPath,
    ["-e", `require("http").createServer((q, r) => { q.resume(); q.on("end", () => r.end('{"active":true}')); }).listen(${port}, "127.0.0.1", () => process.stdout.write("up"))`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const rate = await load(child.pid, () => insist(200, form(`http://127.0.0.1:${port}/`, { token: "x" })));
  report("node", { "answer a constant": rate });
  await stop(child);
}

function report(engine, rates) {
  for (const [name, { perSecond, perCore }] of Object.entries(rates)) {
    console.log(`${engine.padEnd(10)} ${name.padEnd(26)} ${perSecond.toFixed(0).padStart(7)} /s   ${perCore.toFixed(0).padStart(7)} /s per core`);
  }
}

console.log(`${CONCURRENCY} connections, ${SECONDS} s each, ${cpus().length} cores shared with the load generator`);
await compareNothing();
await measure("sqlite", `sqlite:${join(folder, "plinto.sqlite")}`);
const postgres = process.env.PLINTO_TEST_POSTGRES;
if (postgres) {
  const name = `plinto_bench_${process.pid}`;
  const admin = (sql) => {
    const done = spawnSync("psql", [postgres, "-qc", sql], { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`psql: ${done.stderr}`);
  };
  admin(`create database ${name}`);
  try {
    const url = new URL(postgres);
    url.pathname = `/${name}`;
    await measure("postgres", url.href);
  } finally {
    admin(`drop database if exists ${name} with (force)`);
  }
} else {
  console.log("PLINTO_TEST_POSTGRES is not set: the Postgres half was not run");
}
agent.destroy();
