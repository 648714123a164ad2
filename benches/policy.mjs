// What one decision costs, beside real peers in the same run: OPA as a library, regorus, and in workerd
// npm opa-wasm (the policy compiled ahead of time) and npm cedar-wasm. From the request to the decision.
//
// usage: node benches/policy.mjs        (make bench-policy builds what it needs first)
//        OPA=<path of opa> where it isn't in PATH or ~/go/bin
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { askWorker, table } from "./workerd.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bench = join(root, "benches/policy");
const built = join(bench, "build");
const program = join(process.env.CARGO_TARGET_DIR || join(root, "target"), "release/plinto-policy-bench");
const LIMITS = { prepareMs: 1_000, ofRegorus: 1, ofOpaWasm: 5 };

function run(command, parameters, folder = root) {
  const done = spawnSync(command, parameters, { cwd: folder, encoding: "utf8", maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "inherit"] });
  if (done.status !== 0) throw new Error(`${command} ${parameters.join(" ")} ended with ${done.status ?? done.error}`);
  return done.stdout;
}

const opa = [process.env.OPA, join(homedir(), "go/bin/opa")].find((path) => path && existsSync(path)) ?? "opa";

/** Without optimisation: with it, OPA 1.22 crashes or answers otherwise. */
function compileWithOpa(name) {
  const folder = join(built, name);
  run(opa, ["build", "-t", "wasm", "-O", "0", "-e", "app/authz/decision", "-o", "bundle.tar.gz", "policy.rego"], folder);
  run("tar", ["-xzf", "bundle.tar.gz", "/policy.wasm"], folder);
}

run(program, ["files", built]);
const documents = readFileSync(join(built, "documents.json"), "utf8");
const names = JSON.parse(documents).policies.map(({ name }) => name);
for (const name of names) compileWithOpa(name);
const native = JSON.parse(run(program, ["native"]));
run("go", ["build", "-o", join(built, "opa-bench"), "."], join(bench, "opa"));
const byOpa = names.map((name) => Number(run(join(built, "opa-bench"), ["policy.rego", "data.json", "request.json"], join(built, name))));
const inWorkerd = await askWorker("benches/policy/wrangler.toml", documents);
print();

function print() {
  const wasm = readFileSync(join(root, "policy-wasm/npm/dist/plinto_policy_bg.wasm"));
  console.log(`policy wasm, gzip: ${(gzipSync(wasm, { level: 9 }).length / 1024).toFixed(0)} KiB`);
  console.log(`1,000 modules prepared natively: ${native.prepareMs.toFixed(0)} ms (limit ${LIMITS.prepareMs} ms)`);
  const [first] = inWorkerd;
  console.log("first decision in a fresh workerd, ms: " +
    `plinto ${first.coldMs.plinto.toFixed(0)}, opa-wasm ${first.coldMs.opaWasm.toFixed(0)}, cedar-wasm ${first.coldMs.cedarWasm.toFixed(0)}`);
  console.log("");
  for (const { name, what } of inWorkerd) console.log(`${name}: ${what}`);
  console.log("microseconds of one decision, reading the request and writing the decision included; regorus: its interpreter, and its virtual machine.");
  console.log(`wanted: plinto/regorus at most ${LIMITS.ofRegorus}, plinto/opa-wasm at most ${LIMITS.ofOpaWasm}.`);
  const head = ["", "native: plinto", "regorus", "its vm", "opa", "/regorus", "/vm", "/opa", "workerd: plinto", "opa-wasm", "cedar-wasm", "/opa-wasm", "/cedar-wasm"];
  const rows = native.decisions.map(({ name, plinto, regorus, regorusVm }, index) => {
    const there = inWorkerd[index];
    return [name, ...[plinto, regorus, regorusVm, byOpa[index]].map((one) => one.toFixed(1)),
      ...[regorus, regorusVm, byOpa[index]].map((one) => (plinto / one).toFixed(2)),
      ...[there.plinto, there.opaWasm, there.cedarWasm].map((one) => one.toFixed(1)),
      ...[there.opaWasm, there.cedarWasm].map((one) => (there.plinto / one).toFixed(2))];
  });
  table([head, ...rows]);
}
