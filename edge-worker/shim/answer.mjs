// What only the platform can do with a request: take it apart for the gate, forward it as the gate
// says, and give its answers. What is decided is decided in edge-worker/src; the lines are those of
// edge-worker/src/packed.rs.
import { BROKEN } from "./instance.mjs";

/** Answers one request as the gate says, or refuses it when the gate breaks. */
export async function answerThrough(gate, request, env, context) {
  const packed = pack(request);
  const said = await gate.run("decide", packed, env, context);
  if (said === BROKEN) return refusal(request, env);
  if (!said.startsWith("pass\n")) return answer(said);
  const lines = said.split("\n");
  try {
    return await forward(request, lines, env, (names) => gate.run("kept_inside", names));
  } catch (error) {
    console.error("edge: the application did not answer", String(error));
    const refused = gate.run("unreachable", packed, lines[1]);
    return refused === BROKEN ? refusal(request, env) : answer(refused);
  }
}

/** A request as lines: method, URL, the number of headers, then their names and values. */
function pack(request) {
  let [count, headers] = [0, ""];
  for (const [name, value] of request.headers) {
    count += 1;
    headers += `\n${name}\n${value}`;
  }
  return `${request.method}\n${request.url}\n${count}${headers}`;
}

/** An answer of the gate's own, from its lines. */
function answer(text) {
  const [, status, count, ...rest] = text.split("\n");
  const headers = new Headers();
  const end = Number(count) * 2;
  for (let at = 0; at < end; at += 2) headers.set(rest[at], rest[at + 1]);
  return new Response(rest.slice(end).join("\n"), { status: Number(status), headers });
}

/**
 * Sends a request on and gives the application's answer; bodies are streamed.
 *
 * @param {Request} request the client's
 * @param {string[]} lines what the gate said
 * @param {object} env the Worker's variables, and perhaps a bound service
 * @param {(names: string) => string | BROKEN} keptInside which of the answer's headers stay inside
 */
async function forward(request, lines, env, keptInside) {
  const upstream = typeof env.UPSTREAM === "string" ? globalThis : env.UPSTREAM;
  let at = 3;
  const [dropped, set, added] = [Number(lines[at++]), Number(lines[at++]), Number(lines[at++])];
  const headers = new Headers(request.headers);
  for (const end = at + dropped; at < end; at += 1) headers.delete(lines[at]);
  for (const end = at + 2 * set; at < end; at += 2) headers.set(lines[at], lines[at + 1]);
  const response = await upstream.fetch(lines[2], {
    method: request.method,
    headers,
    body: request.body,
    // a redirect of the application's is the client's to follow
    redirect: "manual",
  });
  // the answer to a WebSocket hand-shake carries the socket and can't be rebuilt
  if (response.status === 101) return response;
  const answered = new Response(response.body, response);
  const inside = keptInside([...response.headers.keys()].join("\n"));
  if (inside === BROKEN) return refusal(request, env);
  if (inside !== "") for (const name of inside.split("\n")) answered.headers.delete(name);
  for (const end = at + 2 * added; at < end; at += 2) answered.headers.set(lines[at], lines[at + 1]);
  return answered;
}

/** The gate broke: what it would have answered, made here. */
function refusal(request, env) {
  const requestId = crypto.randomUUID();
  const problem = {
    type: env.ISSUER ? `${env.ISSUER.split("/t/")[0]}/docs/errors/unavailable` : "about:blank",
    title: "A part this answer needs is not reachable",
    status: 503,
    code: "unavailable",
    detail: "the gate broke while it handled this request and has been replaced",
    instance: new URL(request.url).pathname,
    request_id: requestId,
    retryable: true,
  };
  return new Response(JSON.stringify(problem), {
    status: 503,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "retry-after": "1",
      "x-request-id": requestId,
    },
  });
}
