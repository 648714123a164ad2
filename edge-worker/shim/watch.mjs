// What may end a request that has been let through: an application that takes too long to answer, and a
// token that was revoked or has expired meanwhile.

/** 1 s: how long the other end has to answer a goodbye. */
const GOODBYE_MS = 1000;
/** What is said of a token that can't be asked about: 1013, "try again later". */
export const UNKNOWN = "ended\n1013\nunavailable";

/** Watches over one request from the moment it is forwarded until its answer has ended. */
export class Watch {
  #abort = new AbortController();
  #limitMs;
  #everyMs;
  #recheck;
  #deadline = Infinity;
  /** When the token is asked about next, however often the turn changes meanwhile. */
  #askAt = Infinity;
  #isAsking = false;
  /** When somebody looks. */
  #armedFor = Infinity;
  #hasAnswer = false;
  #isOver = false;
  #timer;
  #atEnd;

  /**
   * @param {number} limitMs how long the application may take to begin its answer
   * @param {number} everyMs how often to ask whether the token stands; 0 when there is none
   * @param {() => Promise<string> | string} recheck "" while it does, else what ended it
   */
  constructor(limitMs, everyMs, recheck) {
    this.#limitMs = limitMs;
    this.#everyMs = everyMs;
    this.#recheck = recheck;
    if (this.isOfToken) this.#askAt = Date.now() + everyMs;
  }

  /** Aborted when the request is to end; its reason says why, see `Ended`. */
  get signal() {
    return this.#abort.signal;
  }

  /** Whether there is a token that may end what outlives its decision. */
  get isOfToken() {
    return this.#everyMs > 0;
  }

  /** The client's turn: it is still sending, however long that takes. */
  ofClient() {
    this.#deadline = Infinity;
    this.#arm();
  }

  /** The application's turn: it is to take what was sent, or to answer, and its time runs. */
  ofApplication() {
    if (this.#hasAnswer) return;
    this.#deadline = Date.now() + this.#limitMs;
    this.#arm();
  }

  /** The application has begun to answer, and may take however long it takes. */
  answered() {
    this.#hasAnswer = true;
    this.#deadline = Infinity;
    this.#arm();
  }

  /** Says goodbye with `atEnd`, which gets the `Ended`, before the signal is aborted a moment later. */
  atEnd(atEnd) {
    this.#atEnd = atEnd;
  }

  /** Nothing is left to watch over. */
  stop() {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Sees to it that somebody looks when the next thing is due; who looks earlier arms anew. */
  #arm() {
    const next = Math.min(this.#isAsking ? Infinity : this.#askAt, this.#deadline);
    if (this.#isOver || next >= this.#armedFor) return;
    clearTimeout(this.#timer);
    this.#armedFor = next;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, next - Date.now()));
  }

  async #look() {
    this.#armedFor = Infinity;
    const now = Date.now();
    if (now >= this.#deadline) return this.#end("");
    if (this.#isAsking || now < this.#askAt) return this.#arm();
    this.#isAsking = true;
    this.#arm();
    const ended = await this.#ended();
    this.#isAsking = false;
    if (this.#isOver) return undefined;
    if (ended !== "") return this.#end(ended);
    this.#askAt = Date.now() + this.#everyMs;
    return this.#arm();
  }

  async #ended() {
    try {
      return await this.#recheck();
    } catch (error) {
      // who can't be asked about lets nobody go on
      console.error("edge: whether a request may go on can't be told", String(error));
      return UNKNOWN;
    }
  }

  #end(lines) {
    this.stop();
    const ended = new Ended(lines);
    this.#atEnd?.(ended);
    if (this.#atEnd) setTimeout(() => this.#abort.abort(ended), GOODBYE_MS);
    else this.#abort.abort(ended);
  }
}

/** Why a request was ended: its token, or the application's time. */
class Ended extends Error {
  /** @param {string} lines what the gate said of the token: `ended`, a close code, the problem's code, and
   * the lines of its answer; "" when the application took too long */
  constructor(lines) {
    const [, closeCode, code, ...answer] = lines.split("\n");
    super(code ?? "the application took too long");
    this.closeCode = Number(closeCode);
    this.code = code;
    this.answer = answer.join("\n");
  }
}
