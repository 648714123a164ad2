// Interim responses (1xx). workerd takes one for the answer, and whatever follows on that connection, to
// its end, for the body. So the answer is read from there; the connection serves nothing else.
// Source: RFC 9110 §15.2, RFC 9112 §4 to §7.

/** 64 KiB: a status line and its headers. */
const HEAD_BYTES = 64 * 1024;
/** 1 KiB: a chunk's size, which takes a few. */
const CHUNK_LINE_BYTES = 1024;

const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;

/**
 * The final answer behind an interim one.
 *
 * @param {Response} interim what `fetch` gave: 1xx, not a WebSocket, and not to HEAD
 * @throws when what follows is no HTTP/1.1
 */
export async function finalResponse(interim) {
  const input = new Input(interim.body);
  for (;;) {
    const { status, statusText, headers } = await head(input);
    if (status === 101) throw new SyntaxError("the protocol was switched unasked");
    if (status < 200) continue;
    const body = status === 204 || status === 304 ? input.nothing() : framed(input, headers);
    // the bytes are those of the wire, whatever content-encoding says
    return new Response(body, { status, statusText, headers, encodeBody: "manual" });
  }
}

async function head(input) {
  const first = STATUS_LINE.exec(await input.line(HEAD_BYTES));
  if (!first) throw new SyntaxError("not a status line");
  const headers = new Headers();
  let left = HEAD_BYTES;
  for (;;) {
    const line = await input.line(left);
    if (line === "") return { status: Number(first[1]), statusText: first[2] ?? "", headers };
    left -= line.length + 2;
    const field = FIELD_LINE.exec(line);
    if (!field) throw new SyntaxError("not a header");
    headers.append(field[1], field[2]);
  }
}

/** The body, by the length or coding that the headers say. */
function framed(input, headers) {
  const [coding, length] = [headers.get("transfer-encoding"), headers.get("content-length")];
  headers.delete("transfer-encoding");
  if (coding === null && length === null) return input.stream(() => input.some(Infinity));
  if (coding === null && /^\d{1,15}$/.test(length)) {
    let left = Number(length);
    const bytes = input.stream(async () => {
      if (left === 0) return undefined;
      const some = await input.some(left);
      left -= some?.length ?? 0;
      return some;
    });
    return bytes.pipeThrough(new FixedLengthStream(Number(length)));
  }
  if (length !== null || coding.toLowerCase() !== "chunked") throw new SyntaxError("a body of no certain length");
  return input.stream(chunks(input));
}

/** Reads a chunked body, piece by piece. */
function chunks(input) {
  let left = 0;
  let isFirst = true;
  return async () => {
    if (left === 0) {
      if (!isFirst && (await input.line(2)) !== "") throw new SyntaxError("a chunk longer than it says");
      isFirst = false;
      const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(await input.line(CHUNK_LINE_BYTES));
      if (!size) throw new SyntaxError("not a chunk's size");
      left = Number.parseInt(size[1], 16);
      if (left === 0) {
        // trailers: nobody may be told anything in them
        let trailers = HEAD_BYTES;
        for (let line = await input.line(trailers); line !== ""; line = await input.line(trailers)) trailers -= line.length + 2;
        return undefined;
      }
    }
    const some = await input.some(left);
    if (some === undefined) throw new SyntaxError("the body ended too soon");
    left -= some.length;
    return some;
  };
}

/** A stream of bytes, read by lines and by pieces. */
class Input {
  #reader;
  #held = new Uint8Array();

  constructor(stream) {
    this.#reader = stream.getReader();
  }

  /** The next line without its end, each byte a character; of `atMost` bytes. */
  async line(atMost) {
    let from = 0;
    for (;;) {
      const end = this.#held.indexOf(10, from);
      if (end > atMost || (end < 0 && this.#held.length > atMost)) throw new SyntaxError("a line too long");
      if (end >= 0) {
        if (this.#held[end - 1] !== 13) throw new SyntaxError("a line that does not end as lines do");
        const line = this.#held.subarray(0, end - 1);
        this.#held = this.#held.subarray(end + 1);
        return Array.from(line, (byte) => String.fromCharCode(byte)).join("");
      }
      from = this.#held.length;
      const more = await this.#more();
      if (more === undefined) throw new SyntaxError("the connection ended too soon");
      const both = new Uint8Array(from + more.length);
      both.set(this.#held);
      both.set(more, from);
      this.#held = both;
    }
  }

  /** What comes next, of `atMost` bytes; `undefined` at the end. */
  async some(atMost) {
    if (this.#held.length === 0) {
      const more = await this.#more();
      if (more === undefined) return undefined;
      this.#held = more;
    }
    const some = this.#held.subarray(0, atMost);
    this.#held = this.#held.subarray(some.length);
    return some;
  }

  /** A body of what `next` gives until that is `undefined`. */
  stream(next) {
    return new ReadableStream({
      pull: async (controller) => {
        const some = await next();
        if (some !== undefined) return controller.enqueue(some);
        controller.close();
        return this.nothing();
      },
      cancel: () => this.nothing(),
    });
  }

  /** No body, and no further use for the connection. */
  nothing() {
    this.#reader.cancel().catch(() => {});
    return null;
  }

  async #more() {
    const { done, value } = await this.#reader.read();
    return done ? undefined : value;
  }
}
