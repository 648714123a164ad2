// A small application behind the edge. It checks no token and knows no policy: whoever gets here
// was let through, and the headers say who it is.
//
//   PORT=8790 node examples/sample-app/server.mjs
import { createServer } from "node:http";

const PORT = Number(process.env.PORT ?? 8790);
const HOST = process.env.HOST ?? "127.0.0.1";
const MAX_BODY_BYTES = 64 * 1024;

const documents = new Map([
  ["welcome", { id: "welcome", title: "Welcome", text: "Whoever reads this was let through." }],
  ["plan", { id: "plan", title: "The plan", text: "Write it down, then do it." }],
]);

/** Who asks, as the edge says. A client's own x-plinto- headers never get here. */
function identity(headers) {
  const names = Object.keys(headers).filter((name) => name.startsWith("x-plinto-"));
  return Object.fromEntries(names.sort().map((name) => [name, headers[name]]));
}

async function text(request) {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new RangeError("the body is too large");
  }
  return body;
}

/** [method, path, handler]: the handler gets the request and the path's parts, and gives [status, answer]. */
const routes = [
  ["GET", /^\/$/, (request) => [200, { app: "sample", identity: identity(request.headers) }]],
  ["GET", /^\/documents$/, () => [200, { documents: [...documents.values()] }]],
  [
    "POST",
    /^\/documents$/,
    async (request) => {
      const { title = "Untitled", text: content = "" } = JSON.parse((await text(request)) || "{}");
      const id = `doc${documents.size + 1}`;
      documents.set(id, { id, title, text: content, by: request.headers["x-plinto-subject"] });
      return [201, documents.get(id)];
    },
  ],
  [
    "GET",
    /^(?:\/organizations\/[^/]+)?\/documents\/([^/]+)$/,
    (request, [id]) =>
      documents.has(id)
        ? [200, { ...documents.get(id), identity: identity(request.headers) }]
        : [404, { error: `there is no document ${id}` }],
  ],
  [
    "PUT",
    /^(?:\/organizations\/[^/]+)?\/documents\/([^/]+)$/,
    async (request, [id]) => {
      const { title = id, text: content = "" } = JSON.parse((await text(request)) || "{}");
      documents.set(id, { id, title, text: content, by: request.headers["x-plinto-subject"] });
      return [200, documents.get(id)];
    },
  ],
  [
    "DELETE",
    /^(?:\/organizations\/[^/]+)?\/documents\/([^/]+)$/,
    (_request, [id]) => [documents.delete(id) ? 204 : 404],
  ],
  [
    "GET",
    /^\/reports(?:\/([^/]+))?$/,
    (request, [id]) => [200, { report: id ?? "all", identity: identity(request.headers) }],
  ],
];

async function answer(request) {
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
