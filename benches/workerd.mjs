// Runs a Worker of a bench in workerd, through wrangler, for as long as something is asked of it.
import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Wrangler accepts requests before its Worker is built, and lets them wait for ever where it can't be. */
async function untilAnswered(url, child) {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error("workerd ended before it was ready");
    try {
      return await fetch(url, { signal: AbortSignal.timeout(deadline - Date.now()) });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("workerd was not ready within a minute");
}

/** Starts the Worker of `config` (a path from the root), posts it a text, and gives its answer as JSON. */
export async function askWorker(config, body) {
  const folder = mkdtempSync(join(tmpdir(), "plinto-bench-"));
  const port = await freePort();
  const log = openSync(join(folder, "log"), "w");
  const child = spawn(
    join(root, "node_modules/.bin/wrangler"),
    ["dev", "--local", "-c", config, "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0",
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
    const answer = await fetch(url, { method: "POST", body });
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

/** Columns that are as wide as they must be, the first one to the left. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  "));
  }
}
