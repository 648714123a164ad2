// Sends a request on as the gate says, and gives the application's answer. Bodies are streamed both ways.
import { Failure } from "./failure.mjs";
import { BROKEN } from "./instance.mjs";
import { finalResponse } from "./interim.mjs";
import { relay } from "./relay.mjs";

/** 64 KiB: a request's body that says it isn't longer is read before anything is sent, so that the
 * application's time begins when it has it, and an end too soon is the client's. */
const READ_FIRST_BYTES = 64 * 1024;
/** 64 KiB: a piece of a longer one. */
const PIECE_BYTES = 64 * 1024;
/** 1 MiB: an answer that says it isn't longer is one answer, and no stream that could go on. */
const WHOLE_BYTES = 1024 * 1024;

/**
 * Whether the application has sent interim answers. workerd takes one to HEAD for the whole answer, and what follows
 * on that connection for the answer to whoever asks next. So such an application is asked with GET in its place.
 */
let hasInterim = false;

/** 64: how many sets of header names are remembered; applications answer with few. */
const REMEMBERED = 64;
/** 1 KiB: the longest of them. */
const REMEMBERED_LENGTH = 1024;
/** Which headers of an answer stay inside, by what the gate was asked. */
const remembered = new Map();

/**
 * @param {Request} request the client's
 * @param {string[]} lines what the gate said
 * @param {{ fetch: typeof fetch }} upstream the platform, or a bound service
 * @param {import("./watch.mjs").Watch} watch
 * @param {(names: string, connection: string) => string | BROKEN} keptInside which of the answer's headers stay inside
 */
export async function forward(request, lines, upstream, watch, keptInside) {
  let at = 5;
  const [dropped, set, added] = [Number(lines[at++]), Number(lines[at++]), Number(lines[at++])];
  const headers = new Headers(request.headers);
  for (const end = at + dropped; at < end; at += 1) headers.delete(lines[at]);
  for (const end = at + 2 * set; at < end; at += 2) headers.set(lines[at], lines[at + 1]);

  const { method } = request;
  let response = await send(request, lines[2], headers, upstream, watch);
  if (!isFinal(response)) response = await final(response, method);
  const inside = namesInside(response.headers, keptInside);
  const answer = passedOn(response, method, watch);
  for (const name of inside) answer.headers.delete(name);
  for (const end = at + 2 * added; at < end; at += 2) answer.headers.set(lines[at], lines[at + 1]);
  return answer;
}

/** The names of an answer's headers that stay inside. */
function namesInside(headers, keptInside) {
  const names = [...headers.keys()];
  const connection = names.includes("connection") ? headers.get("connection") : "";
  const asked = `${connection}\n${names.join("\n")}`;
  const known = remembered.get(asked);
  if (known !== undefined) return known;
  const said = keptInside(names.join("\n"), connection);
  if (said === BROKEN) throw BROKEN;
  const inside = said === "" ? [] : said.split("\n");
  if (asked.length <= REMEMBERED_LENGTH) {
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(asked, inside);
  }
  return inside;
}

/** Asks the application. */
function send(request, url, headers, upstream, watch) {
  const init = {
    headers,
    // a redirect of the application's is the client's to follow
    redirect: "manual",
    // what a person may see is no other's
    cache: "no-store",
    // the bytes of an answer are passed on as they came
    encodeResponseBody: "manual",
    signal: watch.signal,
  };
  const { method, body } = request;
  if (body === null || method === "GET" || method === "HEAD") {
    watch.ofApplication();
    // by the standard's rules these two have no body, so only a copy of the request takes it along
    if (body !== null) return upstream.fetch(new Request(url, request), init);
    init.method = method === "HEAD" && hasInterim ? "GET" : method;
    return upstream.fetch(url, init);
  }
  init.method = method;
  return sendWithBody(request, url, init, upstream, watch);
}

async function sendWithBody(request, url, init, upstream, watch) {
  watch.ofClient();
  const length = init.headers.get("content-length");
  if (length !== null && Number(length) <= READ_FIRST_BYTES) {
    const whole = await wholeBody(request, watch.signal);
    watch.ofApplication();
    return upstream.fetch(url, { ...init, body: whole });
  }
  const { readable, writable } = passage(length);
  // the client has gone, or the application is no longer reading: `fetch` says which
  pass(request.body, writable, watch);
  return upstream.fetch(url, { ...init, body: readable });
}

/** Passes a request's body on piece by piece, so that it is known whose turn it is. */
async function pass(body, writable, watch) {
  const [reader, writer] = [body.getReader({ mode: "byob" }), writable.getWriter()];
  // who takes no more must not wait for the client's next piece to be let go
  writer.closed.catch((error) => reader.cancel(error).catch(() => {}));
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(PIECE_BYTES));
      if (done) break;
      watch.ofApplication();
      await writer.write(value);
      watch.ofClient();
    }
    watch.ofApplication();
    await writer.close();
  } catch (error) {
    await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
  }
}

/** The body of a client that sends it whole while its token stands. */
async function wholeBody(request, signal) {
  const ended = new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  const body = request.arrayBuffer().catch((error) => {
    throw new Failure("request", error);
  });
  return Promise.race([body, ended]);
}

/** A way through for bytes, which says how many when that is known. */
function passage(length) {
  return length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
}

/** Whether this is no interim answer, and none that only looks like one. */
function isFinal({ status, webSocket }) {
  return webSocket !== null || (status >= 200 && status <= 599);
}

/** The final answer in place of one that is not. */
async function final(response, method) {
  const { status } = response;
  hasInterim ||= status < 200 && status !== 101;
  if (status >= 200 || status === 101 || response.body === null) throw new Failure("protocol", `status ${status} to ${method}`);
  try {
    return await finalResponse(response);
  } catch (error) {
    throw error instanceof SyntaxError ? new Failure("protocol", error) : error;
  }
}

/** The answer for the client, which ends when its token does. */
function passedOn(response, method, watch) {
  const { body, headers, webSocket } = response;
  if (webSocket !== null) {
    watch.answered();
    return new Response(null, { status: 101, headers, webSocket: watch.isOfToken ? relay(webSocket, watch) : webSocket });
  }
  const length = headers.get("content-length");
  if (method === "HEAD") {
    watch.stop();
    body?.cancel().catch(() => {});
    return new Response(null, response);
  }
  if (body === null || !watch.isOfToken || isWhole(length, headers)) {
    watch.stop();
    return new Response(body, response);
  }
  watch.answered();
  const { readable, writable } = passage(length);
  body
    .pipeTo(writable)
    .catch(() => {})
    .finally(() => watch.stop());
  return new Response(readable, response);
}

function isWhole(length, headers) {
  return length !== null && Number(length) <= WHOLE_BYTES && !/^text\/event-stream\b/i.test(headers.get("content-type"));
}
