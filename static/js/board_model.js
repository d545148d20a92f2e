/**
 * What the teacher's board knows: the last `state` frame, and every event of the timeline in order, without a gap.
 *
 * No markup and no network here. `applyEvents` takes only the event that follows the last one; anything else is a gap, and
 * the board asks the server again from where it stands.
 */

import { newReading, takeReading } from "./board_reading.js";
import { now } from "./clock.js";

const MINUTE = 60_000;
const SPANS = [2 * MINUTE, 4 * MINUTE, 8 * MINUTE];
const MARKS_KEPT_FOR = 2 * SPANS.at(-1);
const KEPT_ENTRIES = 1_000;
const PRESENT_AFTER = { socket_opened: () => "here", presence: ({ visible }) => (visible ? "here" : "away") };
const DONE = new Set(["ready", "leader_ready", "attention_confirmed", "prior_knowledge", "assessment_submitted", "survey_submitted"]);
// Told often and read on a row, not as a line of the timeline.
const UNLISTED = new Set(["latency", "progress", "playback", "assessment_answer", "words", "recording_stopped"]);
const READING = new Set(["words", "struggle", "stuck"]);
const PROGRESS_EVERY = 4_000;

export class BoardModel {
  session = null;
  epoch = null;
  last = 0;
  groups = [];
  requests = [];
  slowest = null;
  removed = [];
  timeline = [];
  #students = new Map();
  #labels = new Map();
  #seen = new Map();
  #stateSeq = 0;
  #newest = 0;
  #begun = null;

  /**
   * @returns {{another: boolean, named: Set<string>}} whether the timeline is another one than before (a restore), so that it is
   *   read again from 1; the students whose name is new
   */
  applyState(frame) {
    const another = this.epoch !== null && frame.epoch !== this.epoch;
    if (another) this.#forget();
    this.epoch = frame.epoch;
    this.session = frame.session;
    this.groups = [...frame.groups].sort((one, other) => one.number - other.number);
    this.requests = frame.requests;
    this.slowest = frame.slowest ?? null;
    this.removed = frame.removed;
    this.#stateSeq = frame.seq;
    this.#newest = Math.max(frame.seq, another ? 0 : this.#newest);
    this.#students = new Map(frame.students.map((student) => [student.id, { ...student }]));
    const named = new Set();
    for (const { id, label } of [...frame.students, ...frame.removed]) {
      if (this.#labels.get(id) !== label) named.add(id);
      this.#labels.set(id, label);
    }
    for (const { id, way } of frame.students) {
      const { progress } = this.seen(id);
      if (way && progress.at(-1)?.percent !== way.percent) this.#advance(progress, way.percent, now());
    }
    return { another, named };
  }

  /** @returns {{fresh: object[], gap: boolean}} the events that were new, and whether one before them is missing */
  applyEvents({ epoch, events }) {
    if (this.epoch !== null && epoch !== this.epoch) return { fresh: [], gap: true };
    this.epoch = epoch;
    const fresh = [];
    for (const event of events) {
      if (event.seq <= this.last) continue;
      if (event.seq > this.last + 1) return { fresh, gap: true };
      this.last = event.seq;
      this.#apply(event);
      fresh.push(event);
    }
    return { fresh, gap: false };
  }

  /** Whether everything up to the newest state is here. */
  get caughtUp() {
    return this.session !== null && this.last >= this.#newest;
  }

  /** How many events are still to come, as far as the board knows. */
  get behind() {
    return Math.max(0, this.#newest - this.last);
  }

  /** The server's word, a moment ago, on its newest event. @returns {boolean} whether events are missing here */
  isBehind({ epoch, seq }) {
    if (epoch !== this.epoch) return true;
    this.#newest = Math.max(this.#newest, seq);
    return seq > this.last;
  }

  /** How far back the strips reach, in milliseconds: as far as there is something to see, and at most eight minutes. */
  get span() {
    const age = this.#begun === null ? 0 : now() - this.#begun;
    return SPANS.find((span) => span >= age) ?? SPANS.at(-1);
  }

  student(id) {
    return this.#students.get(id);
  }

  /** The name of a student, also of one who has been taken out meanwhile. */
  label(id) {
    return this.#labels.get(id);
  }

  /** Students who are not taken out, of one group (null: of none), by label. */
  members(group) {
    return [...this.#students.values()]
      .filter((student) => !student.removed && (student.group ?? null) === group)
      .sort((one, other) => one.label.localeCompare(other.label, undefined, { numeric: true }));
  }

  get counts() {
    const present = [...this.#students.values()].filter((student) => !student.removed);
    return {
      here: present.filter((student) => student.present !== "gone").length,
      joined: present.length,
      readyGroups: this.groups.filter((group) => group.ready).length,
    };
  }

  /** What the timeline says about a student: spans of presence, marks, and how far the student was when. */
  seen(id) {
    if (!this.#seen.has(id)) this.#seen.set(id, { spans: [], marks: [], answers: [], progress: [], rates: [], reading: null, connection: null });
    return this.#seen.get(id);
  }

  // An event may come in before the state that has its student, so what it says is kept by id.
  #apply(event) {
    if (!UNLISTED.has(event.event)) {
      this.timeline.push(event);
      if (this.timeline.length > KEPT_ENTRIES) this.timeline.shift();
    }
    if (!event.student) return;
    const { event: kind, data } = event;
    const at = Date.parse(event.at);
    this.#begun ??= at;
    const seen = this.seen(event.student);
    this.#mark(seen, kind, at);
    this.#read(seen, kind, data, at);
    if (kind === "exchange_answer") seen.answers.push({ words: data.words, at });
    if (kind === "progress") this.#advance(seen.progress, data.percent, at);
    if (kind === "socket_opened") seen.connection = data.connection;
    // A page that was replaced closes after the new one has opened.
    const closes = kind === "socket_closed" && [null, data.connection].includes(seen.connection);
    const present = closes ? "gone" : PRESENT_AFTER[kind]?.(data);
    if (present && seen.spans.at(-1)?.present !== present) {
      seen.spans.push({ present, from: Math.max(at, seen.spans.at(-1)?.from ?? 0) });
    }
    const student = this.#students.get(event.student);
    if (!student || event.seq <= this.#stateSeq) return;
    if (present) student.present = present;
    if (kind === "ready" || kind === "not_ready") student.ready = kind === "ready";
  }

  /** What was read: a line of words a minute, and marks for miscues and struggles. */
  #read(seen, kind, data, at) {
    if (!READING.has(kind)) return;
    seen.reading ??= newReading();
    for (const mark of takeReading(seen.reading, kind, data)) seen.marks.push({ ...mark, at });
    if (kind === "words" && seen.reading.rate !== null) seen.rates.push({ rate: seen.reading.rate, at });
    while (seen.rates.length && seen.rates[0].at < now() - MARKS_KEPT_FOR) seen.rates.shift();
  }

  #advance(progress, percent, at) {
    const [before, last] = progress.slice(-2);
    if (last && at - before.at < PROGRESS_EVERY) progress.pop();
    progress.push({ percent, at });
  }

  #mark({ marks }, kind, at) {
    if (DONE.has(kind)) marks.push({ kind: "done", at });
    if (kind === "help_request") marks.push({ kind: "aid", at });
    if (kind === "client_error" || kind === "action_refused") marks.push({ kind: "miss", at });
    while (marks.length && marks[0].at < now() - MARKS_KEPT_FOR) marks.shift();
  }

  #forget() {
    this.last = 0;
    this.timeline = [];
    this.#seen.clear();
    this.#begun = null;
  }
}
