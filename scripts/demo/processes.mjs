// Child processes of the demonstration: started, watched, and stopped together.
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import net from "node:net";
import { Stop } from "./say.mjs";

const children = [];
let isStopping = false;

// Fails with one line when somebody listens on the port already.
export function requireFreePort(name, port, setting) {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    const busy = `port ${port} (${name}) is in use: stop what listens there, or set ${setting}`;
    probe.once("error", (error) => reject(new Stop(error.code === "EADDRINUSE" ? busy : `port ${port}: ${error.message}`)));
    probe.listen(port, "127.0.0.1", () => probe.close(resolve));
  });
}

// Runs a command to its end with its output shown.
export function run(what, command, args, options = {}) {
  const ended = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
  if (ended.error?.code === "ENOENT") throw new Stop(`${command} is missing; run \`make setup\``);
  if (ended.status !== 0) throw new Stop(`${what} failed; see the lines above`);
}

// Starts a child in a group of its own; its output goes to a file, the last lines are kept.
export function start(name, command, args, { env, logFile, cwd }) {
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const record = { name, child, tail: "", ended: false, logFile };
  const log = createWriteStream(logFile);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      log.write(chunk);
      record.tail = (record.tail + chunk).slice(-4000);
    });
  }
  child.once("error", (error) => (record.tail += error.message));
  child.once("exit", () => (record.ended = true));
  children.push(record);
  return record;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Waits until the URL answers below 500, or the child ends.
export async function ready(record, url, seconds) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    if (record.ended) throw new Stop(`${record.name} ended: ${lastLine(record.tail)}`);
    if (isStopping) throw new Stop("stopped");
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
      if (answer.status < 500) return;
    } catch {
      // not listening yet
    }
    if (Date.now() > deadline) throw new Stop(`${record.name} is not ready after ${seconds} s; see ${record.logFile}`);
    await pause(50);
  }
}

export function lastLine(text) {
  const lines = text.trim().split("\n").map((line) => line.trim()).filter(Boolean);
  const told = lines.filter((line) => /^error|"level":"ERROR"|ERROR/i.test(line)).pop() ?? lines.pop() ?? "it said nothing";
  try {
    const entry = JSON.parse(told);
    return entry.error ?? entry.message ?? entry.fields?.message ?? told;
  } catch {
    return told.replace(/^error: /, "");
  }
}

// Asks every child to end, waits, and ends what is left.
export async function stopAll() {
  if (isStopping) return;
  isStopping = true;
  for (const signal of ["SIGTERM", "SIGKILL"]) {
    for (const record of children.filter((record) => !record.ended)) {
      try {
        process.kill(-record.child.pid, signal);
      } catch {
        record.ended = true;
      }
    }
    const deadline = Date.now() + 5000;
    while (children.some((record) => !record.ended) && Date.now() < deadline) await pause(25);
  }
}

// Resolves when a child ends that should have gone on.
export async function anyEnds() {
  while (!isStopping) {
    const gone = children.find((record) => record.ended);
    if (gone) return gone;
    await pause(200);
  }
  return undefined;
}
