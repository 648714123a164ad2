// How soon the control plane is ready on an existing database, and what it weighs when idle.
// Beside it, in the same run: a Node process that does nothing but listen.
//
// usage: node benches/start.mjs [path of plinto-control-plane]   (make bench-start builds it)

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { folder, freePort, memoryMb, plain, server, start, stop, untilAnswered } from "./processes.mjs";

const RUNS = 7;
const IDLE_S = 5;
const LIMITS = { ready_ms: 300, rss_mb: 64 };

const settings = (port) => ({
  ...plain,
  PLINTO_LISTEN: `127.0.0.1:${port}`,
  PLINTO_PUBLIC_URL: `http://127.0.0.1:${port}`,
  PLINTO_DATABASE_URL: `sqlite://${join(folder, "plinto.sqlite")}`,
});

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function measure(name, begin) {
  const ready = [];
  let rss = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const port = await freePort();
    const began = performance.now();
    const { child, url } = begin(port);
    await untilAnswered(url, child, 2);
    ready.push(performance.now() - began);
    if (run === RUNS - 1) {
      await new Promise((resolve) => setTimeout(resolve, IDLE_S * 1000));
      rss = memoryMb(child.pid, "VmRSS");
    }
    await stop(child);
  }
  return { name, ready_ms: median(ready), rss_mb: rss };
}

const port = await freePort();
const bootstrap = spawnSync(
  server,
  ["bootstrap", "--tenant", "bench", "--audience", "https://api.bench.example"],
  { env: settings(port), encoding: "utf8" },
);
if (bootstrap.status !== 0) throw new Error(`bootstrap failed: ${bootstrap.stderr}`);

const ours = await measure("control plane", (port) => ({
  child: start(server, ["serve"], { env: settings(port), stdio: "ignore" }),
  url: `http://127.0.0.1:${port}/readyz`,
}));
const node = await measure("empty Node server", (port) => ({
  child: start(
    process.execPath,
    ["-e", `require("http").createServer((_, r) => r.end()).listen(${port}, "127.0.0.1")`],
    { stdio: "ignore" },
  ),
  url: `http://127.0.0.1:${port}/`,
}));

console.log(`start on an existing database, median of ${RUNS}; memory after ${IDLE_S} s of idling`);
for (const { name, ready_ms, rss_mb } of [ours, node]) {
  console.log(`${name.padEnd(20)} ready ${ready_ms.toFixed(0).padStart(5)} ms   RSS ${rss_mb.toFixed(1).padStart(6)} MB`);
}
console.log(
  `ratio                ready ${(ours.ready_ms / node.ready_ms).toFixed(2).padStart(5)}      RSS ${(ours.rss_mb / node.rss_mb).toFixed(2).padStart(6)}`,
);
const missed = Object.entries(LIMITS).filter(([figure, limit]) => ours[figure] > limit);
for (const [figure, limit] of missed) console.log(`over the limit: ${figure} ${ours[figure].toFixed(1)} > ${limit}`);
process.exitCode = missed.length === 0 ? 0 : 1;
