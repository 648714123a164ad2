// `make run`: starts everything on this machine, walks the whole path once, then stays until Ctrl-C.
// ONCE=1 stops after the walk; the exit code says whether every step came out right.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { anyEnds, ready, requireFreePort, run, start, stopAll } from "./demo/processes.mjs";
import { Stop, bold, say, table, title } from "./demo/say.mjs";
import { bootstrap, seed } from "./demo/seed.mjs";
import { settings } from "./demo/settings.mjs";
import { walk } from "./demo/walk.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);

async function startAll(demo) {
  const { folder, plain, ports } = demo;
  await requireFreePort("control plane", ports.controlPlane, "PLINTO_RUN_CONTROL_PLANE_PORT");
  await requireFreePort("edge", ports.edge, "PLINTO_RUN_EDGE_PORT");
  await requireFreePort("sample app", ports.app, "PLINTO_RUN_APP_PORT");

  title("building the server and the command line (minutes the first time)");
  run("the build", "cargo", ["build", "--locked", "--workspace", "--bins"]);
  title("building the Worker (minutes the first time)");
  run("the Worker's build", "edge-worker/build.sh", []);

  title("starting");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  bootstrap(demo);
  const log = (name) => path.join(folder, `${name}.log`);
  const server = start("the control plane", demo.server, ["serve"], { env: demo.env, cwd: folder, logFile: log("control-plane") });
  // in a file and in the environment, since anybody may read a command line
  const secret = randomBytes(32).toString("hex");
  const secrets = path.join(folder, "edge.secrets");
  writeFileSync(secrets, `UPSTREAM_SECRET=${secret}\n`, { mode: 0o600 });
  const app = start("the sample app", "node", ["examples/sample-app/server.mjs"], {
    env: { ...plain, PORT: String(ports.app), HOST: "127.0.0.1", UPSTREAM_SECRET: secret },
    logFile: log("sample-app"),
  });
  await ready(server, `${demo.controlPlane}/readyz`, 30);
  await ready(app, demo.app, 10);
  const vars = { ISSUER: demo.issuer, AUDIENCE: demo.audience, TENANT: demo.tenant, UPSTREAM: demo.app };
  const edge = start(
    "the edge",
    "node_modules/.bin/wrangler",
    ["dev", "--local", "--ip", "127.0.0.1", "--port", String(ports.edge), "--inspector-port", "0",
      "--persist-to", path.join(folder, "edge"), "--env-file", secrets, "--show-interactive-dev-session=false",
      ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`])],
    { env: { ...plain, PLINTO_EDGE_BUILT: "1", WRANGLER_SEND_METRICS: "false", CI: "true", NO_COLOR: "1" }, logFile: log("edge") },
  );
  // one of the gate's own paths, which asks the control plane for nothing
  await ready(edge, `${demo.edge}/.plinto/`, 60);
}

function overview(demo) {
  title("running");
  table([
    ["edge (your application's new front door)", demo.edge],
    ["control plane", demo.controlPlane],
    ["  API page", `${demo.controlPlane}/docs`],
    ["  issuer", demo.issuer],
    ["  keys", `${demo.issuer}/.well-known/jwks.json`],
    ["sample app (answers only the edge)", demo.app],
    ["tenant", `${demo.slug} (${demo.tenant})`],
    ["API key", demo.apiKey],
    ...demo.people.map((person) => [person.name, `${person.email} / ${person.password}`]),
    ["files and logs", `${demo.shownFolder}/ (${demo.removal})`],
  ]);
  say();
  say(`Paste any line above after \`. ${demo.shownFolder}/env\`; its tokens live ten minutes. Ctrl-C stops everything.`);
}

function writeEnvironment(demo) {
  const lines = {
    CP: demo.controlPlane,
    ISSUER: demo.issuer,
    EDGE: demo.edge,
    APP: demo.app,
    PLINTO_URL: demo.controlPlane,
    PLINTO_API_KEY: demo.apiKey,
    ...Object.fromEntries(demo.people.map((person) => [person.name.toUpperCase(), person.token ?? ""])),
    ...Object.fromEntries(demo.people.map((person) => [`${person.name.toUpperCase()}_SESSION`, person.session ?? ""])),
  };
  const text = Object.entries(lines).map(([name, value]) => `export ${name}='${value}'\n`).join("");
  writeFileSync(path.join(demo.folder, "env"), `${text}export PATH="${path.dirname(demo.cli)}:$PATH"\n`, { mode: 0o600 });
}

let interrupted;
const untilInterrupted = new Promise((resolve) => (interrupted = resolve));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => interrupted(signal));

async function main() {
  if (!existsSync("node_modules/.bin/wrangler")) throw new Stop("node_modules is missing; run `make setup`");
  const began = Date.now();
  const demo = settings(root);
  await startAll(demo);
  await seed(demo);
  const wrong = await walk(demo);
  writeEnvironment(demo);
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  say();
  say(bold(wrong === 0 ? `every step came out right (${seconds} s)` : `${wrong} step(s) came out wrong`));
  if (process.env.ONCE === "1") return wrong === 0 ? 0 : 1;
  overview(demo);
  const ended = await Promise.race([untilInterrupted.then(() => undefined), anyEnds()]);
  if (ended) throw new Stop(`${ended.name} ended; see ${ended.logFile}`);
  say();
  say("stopping");
  return 0;
}

let code = 1;
try {
  code = await Promise.race([main(), untilInterrupted.then(() => 130)]);
  if (code === 130 && process.env.ONCE !== "1") code = 0;
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
} finally {
  await stopAll();
}
process.exit(code);
