// What only the platform can do with a request: take it apart for the gate, forward it as the gate
// says, and give its answers. What is decided is decided in edge-worker/src; the lines are those of
// edge-worker/src/packed.rs.
import { kindOf } from "./failure.mjs";
import { forward } from "./forward.mjs";
import { BROKEN } from "./instance.mjs";
import { UNKNOWN, Watch } from "./watch.mjs";

/** Answers one request as the gate says, or refuses it when the gate breaks. */
export async function answerThrough(gate, request, env, context) {
  const packed = pack(request);
  const said = await gate.run("decide", packed, env, context);
  if (said === BROKEN) return refusal(request, env);
  if (!said.startsWith("pass\n")) return answer(said);
  const lines = said.split("\n");
  const watch = new Watch(Number(lines[3]), Number(lines[4]), async () => {
    const ended = await gate.run("recheck", packed, lines[1], env, context);
    return ended === BROKEN ? UNKNOWN : ended;
  });
  const upstream = typeof env.UPSTREAM === "string" ? (env.UPSTREAM_VIA ?? globalThis) : env.UPSTREAM;
  try {
    return await forward(request, lines, upstream, watch, (...names) => gate.run("kept_inside", ...names));
  } catch (error) {
    watch.stop();
    if (error === BROKEN) return refusal(request, env);
    // whatever `fetch` makes of it, this is why
    const { aborted, reason } = watch.signal;
    if (aborted && reason.code !== undefined) return reason.answer ? answer(reason.answer) : refusal(request, env);
    const kind = aborted ? "timed_out" : await kindOf(error, upstream === globalThis ? lines[2] : undefined);
    console.error(`edge: ${lines[1]} was not answered by the application: ${kind}`, String(error));
    const failed = gate.run("failed", packed, lines[1], kind);
    return failed === BROKEN ? refusal(request, env) : answer(failed);
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
