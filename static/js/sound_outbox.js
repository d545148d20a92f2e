/**
 * Chunks of sound until the server has them: on the device first, at most 24 under way, and forgotten only when the server says that they
 * are received. After a reconnect, a reload or a crash of the tab the same chunks go out again; the server keeps each once.
 */

const STORE = "chunks";
const UNDER_WAY = 24;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

class DeviceShelf {
  #database;

  constructor(database) {
    this.#database = database;
  }

  put(chunk) {
    return this.#change((chunks) => chunks.put(chunk));
  }

  removeBelow(stream, number) {
    return this.#change((chunks) => chunks.delete(IDBKeyRange.bound([stream, -1], [stream, number], false, true)));
  }

  all() {
    return done(this.#database.transaction(STORE).objectStore(STORE).getAll());
  }

  #change(work) {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(STORE, "readwrite");
      transaction.oncomplete = () => resolve();
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
      work(transaction.objectStore(STORE));
    });
  }
}

class NoShelf {
  async put() {}
  async removeBelow() {}
  async all() {
    return [];
  }
}

async function openShelf(name) {
  try {
    const request = indexedDB.open(`lyceum-sound-${name}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: ["stream", "number"] });
    return new DeviceShelf(await done(request));
  } catch {
    return new NoShelf();
  }
}

export class SoundOutbox {
  #shelf;
  #send;
  #onChange;
  #waiting = [];
  #underWay = new Set();

  /** @param {{send: (bytes: ArrayBuffer) => boolean, onChange: () => void}} options */
  static async open(name, options) {
    const shelf = await openShelf(name);
    const kept = await shelf.all().catch(() => []);
    return new SoundOutbox(shelf, kept, options);
  }

  constructor(shelf, kept, { send, onChange }) {
    this.#shelf = shelf;
    this.#send = send;
    this.#onChange = onChange;
    this.#waiting = kept.sort((one, other) => one.stream - other.stream || one.number - other.number);
  }

  /** How many chunks the server has not said to have. */
  get size() {
    return this.#waiting.length;
  }

  /** The number that a new stream can have: no stream that is kept here has it. */
  streamAfter(stream) {
    return Math.max(stream, ...this.#waiting.map((chunk) => chunk.stream + 1));
  }

  add(stream, number, data) {
    const chunk = { stream, number, data };
    this.#waiting.push(chunk);
    // It goes out at once; the device's copy is for when the page goes away before it has arrived.
    this.#shelf.put(chunk).catch(() => {});
    this.pump();
    this.#onChange();
  }

  /** The server has every chunk of the stream below `received`. */
  received({ stream, received }) {
    const left = this.#waiting.filter((chunk) => chunk.stream !== stream || chunk.number >= received);
    if (left.length === this.#waiting.length) return;
    for (const chunk of this.#waiting) if (!left.includes(chunk)) this.#underWay.delete(chunk);
    this.#waiting = left;
    this.#shelf.removeBelow(stream, received).catch(() => {});
    this.pump();
    this.#onChange();
  }

  /** The server asks for chunks again. */
  missing({ stream, chunks }) {
    for (const chunk of this.#waiting) {
      if (chunk.stream === stream && chunks.includes(chunk.number)) this.#underWay.delete(chunk);
    }
    this.pump();
  }

  /** After a (re)connect nothing is under way any more. */
  resume() {
    this.#underWay.clear();
    this.pump();
  }

  pump() {
    for (const chunk of this.#waiting) {
      if (this.#underWay.size >= UNDER_WAY) return;
      if (this.#underWay.has(chunk)) continue;
      if (!this.#send(framed(chunk))) return;
      this.#underWay.add(chunk);
    }
  }
}

function framed({ stream, number, data }) {
  const frame = new Uint8Array(8 + data.byteLength);
  const view = new DataView(frame.buffer);
  view.setUint32(0, stream);
  view.setUint32(4, number);
  frame.set(new Uint8Array(data), 8);
  return frame.buffer;
}
