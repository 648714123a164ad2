// What hostile policies cost at the default limit, natively and in workerd: the slowest ones, with their
// time, steps and memory. Fails over the limits.
//
// usage: node benches/hostile.mjs        (make bench-hostile builds what it needs first)
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { askWorker, table } from "./workerd.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "benches/policy/build");
const program = join(process.env.CARGO_TARGET_DIR || join(root, "target"), "release/plinto-policy-hostile");
const SHOWN = 10;
const LIMITS = { native: { ms: 20, bytes: 32 << 20 }, workerd: { ms: 40, bytes: 32 << 20 } };

function run(...parameters) {
  const done = spawnSync(program, parameters, { encoding: "utf8", maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "inherit"] });
  if (done.status !== 0) throw new Error(`${parameters.join(" ")} ended with ${done.status ?? done.signal}`);
  return done.stdout;
}

mkdirSync(built, { recursive: true });
run("files", join(built, "hostile.json"));
const native = JSON.parse(run("native"));
const steps = new Map(native.map(({ name, steps }) => [name, steps]));
const outcomes = new Map(native.map(({ name, outcome }) => [name, outcome]));
const workerd = (await askWorker("benches/policy/hostile.toml", readFileSync(join(built, "hostile.json"), "utf8")))
  .map((row) => ({ ...row, ms: row.ms ?? Infinity, steps: steps.get(row.name) ?? 0 }));
let isOver = false;
for (const [where, rows] of Object.entries({ native, workerd })) {
  const limit = LIMITS[where];
  const over = ({ ms, bytes }) => ms > limit.ms || bytes > limit.bytes;
  const sorted = [...rows].sort((a, b) => b.ms - a.ms);
  const shown = sorted.filter((row, index) => index < SHOWN || over(row));
  isOver ||= sorted.some(over);
  console.log(`\n${where}: ${rows.length} cases, the slowest (limits: ${limit.ms} ms, ${limit.bytes >> 20} MiB)`);
  table([
    ["", "ms", "steps", "MiB", "to prepare, ms", ""],
    ...shown.map(({ name, ms, steps, bytes, prepareMs, outcome }) =>
      [name.slice(0, 80), ms.toFixed(1), String(steps), (bytes / (1 << 20)).toFixed(1), prepareMs.toFixed(0), outcome]),
  ]);
  const [slow] = [...rows].sort((a, b) => b.prepareMs - a.prepareMs);
  const [large] = [...rows].sort((a, b) => b.bytes - a.bytes);
  console.log(`slowest to prepare: ${slow.name}, ${slow.prepareMs.toFixed(0)} ms; largest: ${large.name}, ${(large.bytes / (1 << 20)).toFixed(1)} MiB`);
}
const others = workerd.filter(({ name, outcome }) => outcomes.get(name) !== outcome);
for (const { name, outcome } of others) console.log(`in workerd otherwise: ${name}: ${outcome}, natively ${outcomes.get(name)}`);
if (isOver || others.length > 0) process.exitCode = 1;
