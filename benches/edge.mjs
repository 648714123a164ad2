// What one request costs at the edge, in workerd: cold and warm, RS256, ES256 and EdDSA. Beside it,
// in the same run: forwarding by hand with no decision, and that with npm `jose` checking the tokens.
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
const ALGORITHMS = ["RS256", "ES256", "EdDSA"];
const TOKENS = 2_100;
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

async function measure(algorithm) {
  const now = Math.floor(Date.now() / 1000);
  const documents = run("cargo", ["run", "--quiet", "-p", "edge-worker", "--example", "documents", "--", ISSUER, String(now), algorithm, String(TOKENS)]);
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
  try {
    const url = `http://127.0.0.1:${port}/`;
    await untilAnswered(url, child);
    const answer = await fetch(url, { method: "POST", body: documents });
    if (!answer.ok) throw new Error(`the bench Worker answered ${answer.status}: ${await answer.text()}`);
    return await answer.json();
  } catch (error) {
    console.error(readFileSync(join(folder, "log"), "utf8"));
    throw error;
  } finally {
    process.kill(-child.pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

run("edge-worker/build.sh", []);
const results = {};
for (const algorithm of ALGORITHMS) results[algorithm] = await measure(algorithm);
print(results);

function print(results) {
  const bytes = Number(readFileSync(join(root, "edge-worker/build/gzip-bytes"), "utf8"));
  console.log(`edge worker, gzip: ${(bytes / 1024).toFixed(0)} KiB (limit ${(GZIP_LIMIT / 1024).toFixed(0)} KiB)`);
  console.log("");
  console.log("workerd, request in to answer out, network taken out; microseconds, but cold in milliseconds.");
  console.log("edge: token, revocation, policy, headers, forwarding. by hand: headers and forwarding. jose: token, headers, forwarding.");
  console.log("decides: edge less by hand. per core: requests a second at that rate.");
  const head = ["", "edge cold ms", "jose cold ms", "by hand", "jose, new", "edge, new", "edge, known", "edge decides, new", "known", "edge/jose, new", "known", "known per core"];
  const rows = Object.entries(results).map(([algorithm, { coldMs, byHand, joseNew, edgeNew, edgeKnown }]) => [
    algorithm,
    coldMs.edge.toFixed(0),
    coldMs.jose.toFixed(0),
    byHand.toFixed(0),
    joseNew.toFixed(0),
    edgeNew.toFixed(0),
    edgeKnown.toFixed(0),
    (edgeNew - byHand).toFixed(0),
    (edgeKnown - byHand).toFixed(0),
    (edgeNew / joseNew).toFixed(2),
    (edgeKnown / joseNew).toFixed(2),
    (1e6 / edgeKnown).toFixed(0),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  for (const row of [head, ...rows]) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "));
  }
}
