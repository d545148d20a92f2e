/**
 * What a student has begun to write: kept on the device until it is handed in, so that a reload loses no word. IndexedDB, or
 * memory where the browser refuses it. A database of its own beside the outbox: drafts are never sent, events always are.
 */

const STORE = "drafts";

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Drafts {
  #database = null;
  #memory = new Map();

  constructor(database) {
    this.#database = database;
  }

  /** @param {string} id @returns {Promise<any>} what was kept under the id, or undefined */
  async get(id) {
    if (this.#memory.has(id)) return this.#memory.get(id);
    try {
      return await done(this.#store("readonly").get(id));
    } catch {
      return undefined;
    }
  }

  /** Keeps a value under an id. A device without room keeps it in memory: the page goes on. */
  async keep(id, value) {
    this.#memory.set(id, value);
    try {
      await done(this.#store("readwrite").put(value, id));
    } catch {
      // memory has it
    }
  }

  async drop(id) {
    this.#memory.delete(id);
    try {
      await done(this.#store("readwrite").delete(id));
    } catch {
      // it was in memory alone
    }
  }

  #store(mode) {
    if (!this.#database) throw new Error("memory only");
    return this.#database.transaction(STORE, mode).objectStore(STORE);
  }
}

/** @param {string} name the student session */
export async function openDrafts(name) {
  try {
    const request = indexedDB.open(`lyceum-drafts-${name}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    return new Drafts(await done(request));
  } catch {
    return new Drafts(null);
  }
}
