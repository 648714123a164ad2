// Where the demonstration runs: ports, folders, binaries. The caller's environment may choose them.
import path from "node:path";
import { Stop } from "./say.mjs";

function port(name, otherwise) {
  const text = process.env[name] ?? String(otherwise);
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 65535) throw new Stop(`${name}: \`${text}\` is not a port`);
  return number;
}

export function settings(root) {
  const ports = {
    edge: port("PLINTO_RUN_EDGE_PORT", 8787),
    controlPlane: port("PLINTO_RUN_CONTROL_PLANE_PORT", 8788),
    app: port("PLINTO_RUN_APP_PORT", 8790),
  };
  const usual = path.resolve(root, ".plinto");
  const folder = path.resolve(root, process.env.PLINTO_RUN_FOLDER || usual);
  const binaries = path.resolve(root, process.env.CARGO_TARGET_DIR || "target", "debug");
  const controlPlane = `http://127.0.0.1:${ports.controlPlane}`;
  const database = path.join(folder, "plinto.sqlite");
  // settings of the caller's shell are not meant for the demonstration
  const plain = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("PLINTO_") && name !== "DATABASE_URL"),
  );
  return {
    root,
    ports,
    folder,
    shownFolder: path.relative(root, folder).startsWith("..") ? folder : path.relative(root, folder),
    // `make clean` leaves a folder alone that the caller chose: it may hold more than the demonstration
    removal: folder === usual ? "`make clean` removes it" : "`make clean` leaves it",
    anew: `${folder === usual ? "run `make clean`" : `empty ${folder}`}, and \`make run\` makes a new one`,
    slug: "demo",
    audience: "https://api.example.com",
    edge: `http://127.0.0.1:${ports.edge}`,
    controlPlane,
    app: `http://127.0.0.1:${ports.app}`,
    database,
    server: path.join(binaries, "plinto-control-plane"),
    cli: path.join(binaries, "plinto"),
    plain,
    env: {
      ...plain,
      PLINTO_DATABASE_URL: `sqlite://${database}`,
      PLINTO_LISTEN: `127.0.0.1:${ports.controlPlane}`,
      PLINTO_PUBLIC_URL: controlPlane,
    },
  };
}
