/**
 * Where unacknowledged events wait: IndexedDB, one database per student session, or memory where the browser refuses
 * it (private windows, managed devices). Records are {key, event, at, data} under a number that keeps their order.
 */

const STORE = "events";

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

class DeviceStore {
  durable = true;
  #database;

  constructor(database) {
    this.#database = database;
  }

  /** Resolves when the record is on the device, not before. */
  put(record) {
    return this.#change((events) => events.put(record));
  }

  remove(keys) {
    return this.#change((events) => keys.forEach((key) => events.delete(key)));
  }

  /** Everything that waits, oldest first. */
  async all() {
    const records = await done(this.#database.transaction(STORE).objectStore(STORE).getAll());
    return records.sort((one, other) => one.order - other.order);
  }

  #change(work) {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(STORE, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => resolve();
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
      work(transaction.objectStore(STORE));
    });
  }
}

class MemoryStore {
  durable = false;
  #records = new Map();

  async put(record) {
    this.#records.set(record.key, record);
  }

  async remove(keys) {
    keys.forEach((key) => this.#records.delete(key));
  }

  async all() {
    return [...this.#records.values()];
  }
}

/** @param {string} name the student session */
export async function openStore(name) {
  try {
    const request = indexedDB.open(`lyceum-${name}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    return new DeviceStore(await done(request));
  } catch {
    return new MemoryStore();
  }
}
