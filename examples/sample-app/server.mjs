// A small application behind the edge. It checks no token and knows no policy: whoever gets here
// was let through, and the headers say who it is.
//
//   PORT=8790 node examples/sample-app/server.mjs
//
// With UPSTREAM_SECRET set it answers only requests that carry it, as the edge's do: nobody goes round
// the edge. docs/guides/behind-the-edge.md has the other ways.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const PORT = Number(process.env.PORT ?? 8790);
const HOST = process.env.HOST ?? "127.0.0.1";
const MAX_BODY_BYTES = 64 * 1024;

const digest = (text) => createHash("sha256").update(text).digest();
const secret = process.env.UPSTREAM_SECRET ? digest(process.env.UPSTREAM_SECRET) : undefined;

/** Whether the edge sent it. The comparison takes as long however much of the secret is right. */
function isFromTheEdge(request) {
  return !secret || timingSafeEqual(digest(request.headers["x-plinto-upstream-secret"] ?? ""), secret);
}

/** Who asks, as the edge says. A client's own x-plinto- headers never get here. */
function identity(headers) {
  const names = Object.keys(headers).filter((name) => name.startsWith("x-plinto-") && name !== "x-plinto-upstream-secret");
  return Object.fromEntries(names.sort().map((name) => [name, headers[name]]));
}

/** What the policy asks of us with its "yes": members of an answer that this person may not see. */
function masked(request, item) {
  const { mask = [] } = JSON.parse(request.headers["x-plinto-obligations"] ?? "{}");
  return { ...item, ...Object.fromEntries(mask.filter((name) => name in item).map((name) => [name, "***"])) };
}

async function json(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new RangeError("the body is too large");
  }
  return JSON.parse(text || "{}");
}

let made = 0;

/**
 * Five handlers for the things at `path` (a pattern that captures their owner) and `path`/{id}.
 * `members`: what can be written, and what it is when it isn't.
 */
function collection(name, path, members, items) {
  const key = (owner, id) => `${owner ?? ""}/${id}`;
  const missing = (id) => [404, { error: `${name}: there is no ${id}` }];
  const save = async (request, owner, id, before) => {
    const given = await json(request);
    const values = Object.entries(members).map(([member, otherwise]) => [member, given[member] ?? before[member] ?? otherwise]);
    const item = { id, ...Object.fromEntries(values), by: request.headers["x-plinto-subject"] };
    items.set(key(owner, id), item);
    return item;
  };
  const all = new RegExp(`^${path}$`);
  const one = new RegExp(`^${path}/([^/]+)$`);
  return [
    ["GET", all, (request, [owner]) => {
      const theirs = [...items].filter(([at]) => at.startsWith(key(owner, "")));
      return [200, { [name]: theirs.map(([, item]) => masked(request, item)) }];
    }],
    ["POST", all, async (request, [owner]) => {
      let id;
      do id = String((made += 1)); while (items.has(key(owner, id)));
      return [201, await save(request, owner, id, {})];
    }],
    ["GET", one, (request, [owner, id]) => {
      const item = items.get(key(owner, id));
      return item ? [200, { ...masked(request, item), identity: identity(request.headers) }] : missing(id);
    }],
    ["PUT", one, async (request, [owner, id]) => [200, await save(request, owner, id, {})]],
    ["PATCH", one, async (request, [owner, id]) => {
      const item = items.get(key(owner, id));
      return item ? [200, await save(request, owner, id, item)] : missing(id);
    }],
    ["DELETE", one, (_request, [owner, id]) => (items.delete(key(owner, id)) ? [204] : missing(id))],
  ];
}

const documents = new Map([
  ["/welcome", { id: "welcome", title: "Welcome", text: "Whoever reads this was let through." }],
  ["/plan", { id: "plan", title: "The plan", text: "Write it down, then do it." }],
]);
const document = { title: "Untitled", text: "" };

/** [method, path, handler]: the handler gets the request and the path's parts, and gives [status, answer]. */
const routes = [
  ["GET", /^\/$/, (request) => [200, { app: "sample", identity: identity(request.headers) }]],
  // examples/policies/rbac-organizations
  ...collection("documents", "()/documents", document, documents),
  ...collection("documents", "/organizations/([^/]+)/documents", document, new Map()),
  // examples/policies/conditions
  ...collection("records", "/people/([^/]+)/records", { salary: 0, birth_date: "", note: "" }, new Map()),
];

async function answer(request) {
  if (!isFromTheEdge(request)) return [403, { error: "ask the edge: nothing is answered here" }];
  const path = new URL(request.url, "http://app").pathname;
  const fitting = routes.filter(([, pattern]) => pattern.test(path));
  if (fitting.length === 0) return [404, { error: `there is nothing at ${path}` }];
  const method = request.method === "HEAD" ? "GET" : request.method;
  const route = fitting.find(([known]) => known === method);
  if (!route) return [405, { error: `${request.method} is not known at ${path}` }];
  const parts = path.match(route[1]).slice(1).map((part) => part && decodeURIComponent(part));
  try {
    return await route[2](request, parts);
  } catch (error) {
    if (error instanceof SyntaxError) return [400, { error: "the body is not JSON" }];
    if (error instanceof RangeError) return [413, { error: error.message }];
    throw error;
  }
}

const server = createServer(async (request, response) => {
  let status = 500;
  let body = { error: "something went wrong" };
  try {
    [status, body] = await answer(request);
  } catch (error) {
    console.error(error);
  }
  console.log(`${request.method} ${request.url} ${status} for ${request.headers["x-plinto-subject"] ?? "nobody"}`);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(request.method === "HEAD" || body === undefined ? undefined : `${JSON.stringify(body, null, 2)}\n`);
});

server.on("error", (error) => {
  console.error(error.code === "EADDRINUSE" ? `port ${PORT} is taken: set PORT` : error.message);
  process.exitCode = 1;
});
server.listen(PORT, HOST, () => console.log(`sample app: http://${HOST}:${PORT}`));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.close(() => process.exit(0)));
