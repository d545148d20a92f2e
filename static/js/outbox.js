/**
 * The student's events until the server has them.
 *
 * An event is on the device before it is sent, at most 32 are under way at a time, and one leaves the device only when the
 * server has acknowledged it or said that it never will. After a reconnect, a reload or a crash of the tab the same events go out
 * again under the same keys, so the server stores each once; two tabs of the same student may both send an event for the same reason.
 */

const IN_FLIGHT = 32;
const BEACON_BYTES = 60_000;
const RETRY_AFTER = 1_000;
const LONGEST_RETRY = 30_000;

/** A random UUID; crypto.randomUUID is missing on plain http, which is how a school's own server may be reached. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const onWire = ({ key, event, at, data }) => ({ key, event, at, data });

export class Outbox {
  #store;
  #post;
  #send;
  #on;
  #waiting = new Map();
  #underWay = new Set();
  #tries = new Map();
  #order = Date.now() * 1000;
  #timer = 0;
  #fallible = false;

  /**
   * @param {object} store see store.js
   * @param {{send: (frame: object) => boolean, post: string, token: string,
   *          onChange: () => void, onRefused: (record: object, error: object) => void}} options
   *   send: the socket; post: address that takes the same events over HTTP; token: Django's CSRF token
   */
  constructor(store, { send, post, token, onChange, onRefused }) {
    this.#store = store;
    this.#send = send;
    this.#post = { address: post, token };
    this.#on = { onChange, onRefused };
  }

  /** Whether what waits survives a reload. */
  get durable() {
    return this.#store.durable && !this.#fallible;
  }

  /** Events that the server has not acknowledged. */
  get size() {
    return this.#waiting.size;
  }

  /** Whether an event of this kind still waits. */
  holds(event) {
    return [...this.#waiting.values()].some((record) => record.event === event);
  }

  /** The events of this kind that still wait: {key, event, at, data}. */
  waiting(event) {
    return [...this.#waiting.values()].filter((record) => record.event === event);
  }

  /** Keeps an event on the device, then sends it as soon as it can be sent. */
  async add(event, data = {}) {
    const record = { key: newKey(), event, at: new Date().toISOString(), data, order: this.#order++ };
    this.#waiting.set(record.key, record);
    await this.#onDevice(() => this.#store.put(record));
    this.#on.onChange();
    this.#pump();
  }

  /** After a (re)connect: nothing is under way any more, and another tab may have left something on the device. */
  async resume() {
    this.#underWay.clear();
    for (const record of await this.#onDevice(() => this.#store.all(), [])) this.#waiting.set(record.key, record);
    this.#on.onChange();
    this.#pump();
  }

  /** @param {{key: string, seq: number}[]} acks */
  async acknowledge(acks) {
    await this.#drop(acks.map(({ key }) => key));
  }

  /** An error frame: {code, message, key, retry}. One without a key concerns no event of ours. */
  async fail(error) {
    const record = error.key && this.#waiting.get(error.key);
    if (!record) return;
    if (!error.retry) {
      await this.#drop([error.key]);
      this.#on.onRefused(record, error);
      return;
    }
    const tries = (this.#tries.get(error.key) ?? 0) + 1;
    this.#tries.set(error.key, tries);
    const wait = Math.random() * Math.min(LONGEST_RETRY, RETRY_AFTER * 2 ** tries);
    setTimeout(() => {
      this.#underWay.delete(error.key);
      this.#pump();
    }, wait);
  }

  /**
   * Sends what waits over HTTP: where no socket gets through, and as the last chance when the page goes away (`leaving`).
   * What is left over stays on the device.
   */
  async sendByPost({ leaving = false } = {}) {
    const body = this.#bodyOfAtMost(BEACON_BYTES);
    if (!body) return;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.#post.token };
    try {
      const request = { method: "POST", headers, body, keepalive: leaving, credentials: "same-origin" };
      const response = await fetch(this.#post.address, request);
      if (!response.ok) return;
      const { acks = [], errors = [] } = await response.json();
      await this.acknowledge(acks);
      for (const error of errors) await this.fail(error);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch's word for "no network": it all stays here
    }
  }

  #bodyOfAtMost(bytes) {
    const events = [];
    let size = 0;
    for (const record of this.#waiting.values()) {
      const text = JSON.stringify(onWire(record));
      size += new Blob([text]).size + 1;
      if (size > bytes || events.length === IN_FLIGHT) break;
      events.push(text);
    }
    return events.length ? `{"events":[${events.join(",")}]}` : null;
  }

  /** A device without room, or whose data was cleared meanwhile, keeps nothing: it goes on in memory, and the page says so. */
  async #onDevice(work, otherwise = undefined) {
    try {
      return await work();
    } catch {
      this.#fallible = true;
      return otherwise;
    }
  }

  #pump() {
    clearTimeout(this.#timer);
    // Events that come in the same moment leave in the same frame.
    this.#timer = setTimeout(() => {
      const room = IN_FLIGHT - this.#underWay.size;
      const next = [...this.#waiting.values()].filter(({ key }) => !this.#underWay.has(key)).slice(0, room);
      if (!next.length || !this.#send({ type: "events", events: next.map(onWire) })) return;
      next.forEach(({ key }) => this.#underWay.add(key));
    });
  }

  async #drop(keys) {
    for (const key of keys) {
      this.#waiting.delete(key);
      this.#underWay.delete(key);
      this.#tries.delete(key);
    }
    await this.#onDevice(() => this.#store.remove(keys));
    this.#on.onChange();
    this.#pump();
  }
}
