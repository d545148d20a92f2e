/**
 * A WebSocket that comes back by itself.
 *
 * States, told through `onState(state, detail)`:
 *   connecting              a try is under way
 *   open                    frames can be sent
 *   lost {since, retryAt}   no connection; the next try is at retryAt (null: when the browser says it is online)
 *   stopped {code, reason}  the server said not to come back; `reason` is one of the words in STOP
 *
 * A dead connection is found by pings: one every 5 s, and 12 s without an answer count as lost. Tries are spread with full
 * jitter, from half a second up to 20 seconds, so that a class that lost its access point together does not return together.
 */

const STOP = {
  4401: "signed-out",
  4403: "not-allowed",
  4404: "no-session",
  4409: "taken-over",
  4410: "session-over",
};
const RESTARTING = 4412;
const BUSY = 4429;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 20_000;
const PING_EVERY = 5_000;
const SILENT_FOR = 12_000;

export class LiveSocket {
  #address;
  #on;
  #socket = null;
  #attempt = 0;
  #retry = 0;
  #beat = 0;
  #pinged = null;
  #heard = 0;
  #since = null;
  #stopped = false;

  /**
   * @param {string} path such as "/ws/sessions/…/teacher/"
   * @param {{onFrame: (frame: object) => void, onState: (state: string, detail?: object) => void,
   *          onRoundTrip?: (milliseconds: number) => void}} on
   */
  constructor(path, on) {
    this.#address = new URL(path, location.href.replace(/^http/, "ws")).href;
    this.#on = on;
    addEventListener("offline", () => this.#lose(null));
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#look());
  }

  open() {
    clearTimeout(this.#retry);
    if (this.#stopped || this.#socket) return;
    this.#on.onState("connecting");
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.onopen = () => {
      this.#since = null;
      this.#heard = performance.now();
      this.#pinged = null;
      this.#beat = setInterval(() => this.#look(), PING_EVERY);
      this.#on.onState("open");
      this.#look();
    };
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = ({ code }) => this.#closed(code);
  }

  /** Sends one frame as JSON. @returns {boolean} false where there is no open connection */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Sends bytes. @returns {boolean} false where there is no open connection */
  sendBytes(bytes) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(bytes);
    return true;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** How many tries have failed in a row. */
  get failures() {
    return this.#attempt;
  }

  /** Tries at once instead of at the planned moment. */
  retryNow() {
    if (this.#stopped || this.#socket) return;
    this.open();
  }

  #receive(text) {
    this.#heard = performance.now();
    this.#attempt = 0;
    const frame = JSON.parse(text);
    if (frame.type !== "pong") return this.#on.onFrame(frame);
    if (this.#pinged !== null) this.#on.onRoundTrip?.(Math.round(performance.now() - this.#pinged));
    this.#pinged = null;
  }

  /** Asks whether the other side is still there, and gives the connection up when it has not answered for long. */
  #look() {
    if (!this.isOpen) return;
    const now = performance.now();
    if (this.#pinged === null) {
      this.#pinged = now;
      this.send({ type: "ping", t: Date.now() });
    } else if (now - Math.max(this.#pinged, this.#heard) > SILENT_FOR) {
      this.#lose(this.#delay());
    }
  }

  #closed(code) {
    const reason = STOP[code];
    if (!reason) return this.#lose(this.#delay(code));
    this.#stopped = true;
    this.#forget();
    this.#on.onState("stopped", { code, reason });
  }

  #delay(code) {
    if (code === RESTARTING) return 200 + Math.random() * 3_000;
    const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt);
    return code === BUSY ? 1_000 + Math.random() * LONGEST_DELAY : Math.random() * longest;
  }

  #lose(delay) {
    if (this.#stopped || (!this.#socket && delay === null && this.#since)) return;
    this.#forget();
    this.#attempt += 1;
    this.#since ??= Date.now();
    clearTimeout(this.#retry);
    // A browser that says "offline" is asked again all the same: some never say "online".
    this.#retry = setTimeout(() => this.open(), delay ?? LONGEST_DELAY);
    this.#on.onState("lost", { since: this.#since, retryAt: delay === null ? null : Date.now() + delay });
  }

  #forget() {
    clearInterval(this.#beat);
    clearTimeout(this.#retry);
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }
}
