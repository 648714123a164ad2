// Why a request could not be forwarded, as far as the platform lets it be seen. The names are those of
// edge-worker/src/failure.rs.
import { connect } from "cloudflare:sockets";

/** 1 s: how long to try whether somebody listens. */
const PROBE_MS = 1000;

/** A failure that is known when it happens. */
export class Failure extends Error {
  /** @param {"request" | "protocol"} kind */
  constructor(kind, error) {
    super(String(error));
    this.kind = kind;
  }
}

/**
 * What `fetch` failed of. The platform says "connection lost" of an application that refuses connections as
 * of one that drops them, so in that case it is tried whether somebody listens.
 *
 * @param {Error} error what `fetch` threw
 * @param {string | undefined} url where the application is; `undefined` when it is bound
 */
export async function kindOf(error, url) {
  if (error instanceof Failure) return error.kind;
  if (url !== undefined && !(await isListening(new URL(url)))) return "refused";
  return url === undefined || error?.message === "Network connection lost." ? "reset" : "protocol";
}

async function isListening({ protocol, hostname, port }) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(false), PROBE_MS);
  });
  try {
    const socket = connect({ hostname, port: Number(port || (protocol === "https:" ? 443 : 80)) });
    socket.closed.catch(() => {});
    const isOpen = await Promise.race([socket.opened.then(() => true), late]);
    socket.close().catch(() => {});
    return isOpen;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
