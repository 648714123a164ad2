// A WebSocket whose token may be revoked: the edge stands between the two ends, so that it can close both.

/** 1014: the other side went away without a word. Source: IANA, "WebSocket Close Code Number Registry". */
const BAD_GATEWAY = 1014;
/** 1013: try again later, from the same registry. */
const TRY_AGAIN_LATER = 1013;
/** 1001: going away. Source: RFC 6455 §7.4.1. */
const GOING_AWAY = 1001;

/**
 * 32 MiB: what one end may be sent while it says nothing. A Worker can't see how much of it was read, and keeps
 * what was not; without a bound, a telephone that fell asleep would fill the memory of everybody's edge.
 */
const UNANSWERED_BYTES = 32 * 1024 * 1024;

/**
 * The client's end of a socket whose messages go to and come from `application`.
 *
 * @param {WebSocket} application its end, not accepted yet
 * @param {import("./watch.mjs").Watch} watch
 */
export function relay(application, watch) {
  const [client, here] = Object.values(new WebSocketPair());
  let isOpen = true;
  const end = (code, reason) => {
    isOpen = false;
    for (const socket of [here, application]) close(socket, code, reason);
  };
  const unanswered = new Map([
    [here, 0],
    [application, 0],
  ]);
  const couple = (from, to, lost) => {
    from.binaryType = "arraybuffer";
    from.addEventListener("message", ({ data }) => {
      if (!isOpen || to.readyState !== WebSocket.OPEN) return;
      unanswered.set(from, 0);
      unanswered.set(to, unanswered.get(to) + (data.byteLength ?? data.length));
      if (unanswered.get(to) <= UNANSWERED_BYTES) return to.send(data);
      watch.stop();
      return end(TRY_AGAIN_LATER, "slow_reader");
    });
    from.addEventListener("close", ({ code, reason }) => {
      watch.stop();
      // 1005 and 1006 stand for the lack of a code and of a close, and can't be sent. RFC 6455 §7.4.1
      if (code === 1005) close(to);
      else if (code === 1006) close(to, lost);
      else close(to, code, reason);
    });
    from.addEventListener("error", () => {
      watch.stop();
      close(to, lost);
    });
    from.accept();
  };
  couple(here, application, GOING_AWAY);
  couple(application, here, BAD_GATEWAY);
  watch.atEnd(({ closeCode, code }) => end(closeCode, code));
  return client;
}

function close(socket, ...how) {
  try {
    socket.close(...how);
  } catch {
    // closed already, or with a code that is nobody's to send
  }
}
