// What one request costs at the edge, in workerd: cold and warm, RS256, ES256 and EdDSA, policy
// and forwarding included; beside it, in the same run, npm `jose` checking the same tokens.
//
// usage: node benches/edge.mjs        (make bench builds the Worker first)
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const ISSUER = "https://id.example.com/t/acme";
const TOKENS = 250;
const GZIP_LIMIT = 1.2 * 1024 * 1024;

function run(program, parameters) {
  const done = spawnSync(program, parameters, { cwd: root, encoding: "utf8", maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "inherit"] });
  if (done.status !== 0) throw new Error(`${program} ${parameters.join(" ")} ended with ${done.status ?? done.error}`);
  return done.stdout;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function untilAnswered(url, child) {
  for (let attempt = 0; attempt < 1200; attempt += 1) {
    if (child.exitCode !== null) throw new Error("workerd ended before it was ready");
    try {
      return await fetch(url);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("workerd was not ready within a minute");
}

run("edge-worker/build.sh", []);
const now = Math.floor(Date.now() / 1000);
const documents = run("cargo", ["run", "--quiet", "-p", "edge-worker", "--example", "documents", "--", ISSUER, String(now), String(TOKENS)]);

const folder = mkdtempSync(join(tmpdir(), "plinto-bench-"));
const port = await freePort();
const log = openSync(join(folder, "log"), "w");
const child = spawn(
  join(root, "node_modules/.bin/wrangler"),
  ["dev", "--local", "-c", "benches/edge/wrangler.toml", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0",
    "--persist-to", join(folder, "state"), "--show-interactive-dev-session=false"],
  {
    cwd: root,
    stdio: ["ignore", log, log],
    detached: true,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "true", NO_COLOR: "1" },
  },
);
let failed = false;
try {
  const url = `http://127.0.0.1:${port}/`;
  await untilAnswered(url, child);
  const answer = await fetch(url, { method: "POST", body: documents });
  if (!answer.ok) throw new Error(`the bench Worker answered ${answer.status}: ${await answer.text()}`);
  print(await answer.json());
} catch (error) {
  failed = true;
  console.error(error.message);
  console.error(readFileSync(join(folder, "log"), "utf8"));
} finally {
  process.kill(-child.pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

function print(results) {
  const bytes = Number(readFileSync(join(root, "edge-worker/build/gzip-bytes"), "utf8"));
  console.log(`edge worker, gzip: ${(bytes / 1024).toFixed(0)} KiB (limit ${(GZIP_LIMIT / 1024).toFixed(0)} KiB)`);
  console.log("");
  console.log("workerd, microseconds per request unless it says ms: the edge decides and forwards, jose only checks the token");
  // the clock of a Worker ticks in milliseconds: fine for one cold request, and for many warm ones
  const milliseconds = (microseconds) => (microseconds < 1000 ? "<1 ms" : `${(microseconds / 1000).toFixed(0)} ms`);
  const head = ["", "edge cold", "edge new token", "edge known token", "jose first", "jose warm", "new token / jose", "known token / jose"];
  const rows = Object.entries(results).map(([algorithm, result]) => [
    algorithm,
    milliseconds(result.cold),
    result.newToken.toFixed(1),
    result.knownToken.toFixed(1),
    milliseconds(result.joseCold),
    result.joseWarm.toFixed(1),
    (result.newToken / result.joseWarm).toFixed(2),
    (result.knownToken / result.joseWarm).toFixed(2),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  for (const row of [head, ...rows]) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "));
  }
}
