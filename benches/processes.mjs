// What the benches share: the server's binary, free ports, a folder and children that go away with us,
// however we end.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

export const server = process.argv[2] ?? join(process.env.CARGO_TARGET_DIR || "target", "release/plinto-control-plane");
export const folder = mkdtempSync(join(tmpdir(), "plinto-bench-"));

/** The environment without settings that are meant for another server. */
export const plain = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("PLINTO_") && name !== "DATABASE_URL"),
);

const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

export function start(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

/** Asks it to end, and waits until it has. */
export function stop(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", resolve);
    child.kill("SIGTERM");
  });
}

export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Waits for an answer below 400, looking every `pauseMs`. */
export async function untilAnswered(url, child, pauseMs) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} before it was ready`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // not listening yet
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A process's memory in MB: `VmRSS` now, `VmHWM` at its height. */
export function memoryMb(pid, field) {
  const [, kib] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(kib) / 1024;
}
