// What one request costs at the edge, in workerd: cold and warm, RS256, ES256 and EdDSA. Beside it,
// in the same run: forwarding by hand with no decision, and that with npm `jose` checking the tokens.
//
// usage: node benches/edge.mjs        (make bench builds the Worker first)
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { askWorker, table } from "./workerd.mjs";

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

async function measure(algorithm) {
  const now = Math.floor(Date.now() / 1000);
  const documents = run("cargo", ["run", "--quiet", "-p", "edge-worker", "--example", "documents", "--", ISSUER, String(now), algorithm, String(TOKENS)]);
  return await askWorker("benches/edge/wrangler.toml", documents);
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
  table([head, ...rows]);
}
