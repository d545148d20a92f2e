/**
 * What the teacher's board knows: the last `state` frame, and every event of the timeline in order, without a gap.
 *
 * No markup and no network here. `applyEvents` takes only the event that follows the last one; anything else is a gap, and
 * the board asks the server again from where it stands.
 */

import { clockMinute, duration, now } from "./clock.js";
import { fill, gettext } from "./text.js";

/** How far back the strip of a row reaches. */
export const STRIP_SPAN = 8 * 60_000;
const KEPT_ENTRIES = 1_000;
const HELP_STANDS_FOR = 5 * 60_000;
const SILENT_AFTER = 45_000;
const MINUTE = 60_000;
const PRESENT_AFTER = { socket_opened: () => "here", presence: ({ visible }) => (visible ? "here" : "away") };
const DONE = new Set(["ready", "leader_ready", "progress", "attention_confirmed"]);
// Told often and read on a row, not as a line of the timeline.
const UNLISTED = new Set(["latency"]);

export class BoardModel {
  session = null;
  epoch = null;
  last = 0;
  groups = [];
  requests = [];
  timeline = [];
  #students = new Map();
  #tracks = new Map();
  #stateSeq = 0;
  #newest = 0;

  /** @returns {boolean} whether the timeline is another one than before (a restore), so that it is read again from 1 */
  applyState(frame) {
    const another = this.epoch !== null && frame.epoch !== this.epoch;
    if (another) this.#forget();
    this.epoch = frame.epoch;
    this.session = frame.session;
    this.groups = [...frame.groups].sort((one, other) => one.number - other.number);
    this.requests = frame.requests;
    this.#stateSeq = frame.seq;
    this.#newest = Math.max(frame.seq, another ? 0 : this.#newest);
    const before = this.#students;
    this.#students = new Map(frame.students.map((student) => [student.id, { ...before.get(student.id), ...student }]));
    for (const student of this.#students.values()) {
      student.heardAt = Math.max(student.heardAt ?? 0, Date.parse(student.last_seen) || 0);
    }
    return another;
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

  student(id) {
    return this.#students.get(id);
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
      here: present.filter((student) => this.presentNow(student) !== "gone").length,
      joined: present.length,
      readyGroups: this.groups.filter((group) => group.ready).length,
    };
  }

  /** What a row's strip draws: spans of presence and marks of the last minutes. */
  track(id) {
    return this.#tracks.get(id) ?? { spans: [], marks: [] };
  }

  /**
   * Why a student needs a look, the gravest first. It is the server's rule (roster.needs), applied to what came in since the
   * last state as well, so that a reason appears and goes without being sent.
   */
  needs(student) {
    if (this.session.status !== "started" || student.step === "left") return [];
    const found = [];
    const since = duration(now() - this.#since(student));
    if (student.helpAt && now() - student.helpAt < HELP_STANDS_FOR) {
      found.push({ kind: "act", text: fill(gettext("Asked for help at %(time)s"), { time: clockMinute(student.helpAt) }) });
    }
    if (student.present === "gone") {
      found.push({ kind: "watch", text: fill(gettext("No connection for %(time)s"), { time: since }) });
    } else if (this.presentNow(student) === "away") {
      found.push({ kind: "watch", text: fill(gettext("Page left for %(time)s"), { time: since }) });
    }
    if (!student.ready && now() - Date.parse(this.session.started_at) > MINUTE) {
      found.push({ kind: "watch", text: gettext("Not ready") });
    }
    if (student.askedAt && now() - student.askedAt > MINUTE) {
      found.push({ kind: "watch", text: gettext("No answer to the attention check") });
    }
    return found;
  }

  /** here, away or gone: a page that says nothing for 45 s has been left, too. */
  presentNow(student) {
    const silent = student.heardAt && now() - student.heardAt > SILENT_AFTER;
    return student.present === "here" && silent ? "away" : student.present;
  }

  #apply(event) {
    if (!UNLISTED.has(event.event)) {
      this.timeline.push(event);
      if (this.timeline.length > KEPT_ENTRIES) this.timeline.shift();
    }
    const student = this.#students.get(event.student);
    const at = Date.parse(event.at);
    if (event.event === "attention_check") {
      for (const asked of student ? [student] : this.#students.values()) asked.askedAt = at;
      return;
    }
    if (!student) return;
    const { data } = event;
    student.heardAt = Math.max(student.heardAt ?? 0, at);
    this.#mark(student, event.event, at);
    if (event.event === "socket_opened") student.connection = data.connection;
    // A page that was replaced closes after the new one has opened.
    const closes = event.event === "socket_closed" && [undefined, data.connection].includes(student.connection);
    const present = closes ? "gone" : PRESENT_AFTER[event.event]?.(data);
    if (present) {
      const { spans } = this.#trackOf(student.id);
      if (spans.at(-1)?.present !== present) spans.push({ present, from: Math.max(at, spans.at(-1)?.from ?? 0) });
      if (event.seq > this.#stateSeq) student.present = present;
    }
    if (event.event === "progress") student.progress = data.percent;
    if (event.event === "help_request") student.helpAt = at;
    if (event.event === "attention_confirmed") student.askedAt = null;
    if (event.event === "ready" || event.event === "not_ready") student.ready = event.event === "ready";
  }

  #since(student) {
    const open = this.#trackOf(student.id).spans.at(-1);
    return open?.present === student.present && open.present !== "here" ? open.from : student.heardAt || now();
  }

  #mark(student, kind, at) {
    const { marks } = this.#trackOf(student.id);
    if (DONE.has(kind)) marks.push({ kind: "done", at });
    if (kind === "help_request") marks.push({ kind: "aid", at });
    if (kind === "client_error" || kind === "action_refused") marks.push({ kind: "miss", at });
    while (marks.length && marks[0].at < now() - 2 * STRIP_SPAN) marks.shift();
  }

  #trackOf(id) {
    if (!this.#tracks.has(id)) this.#tracks.set(id, { spans: [], marks: [] });
    return this.#tracks.get(id);
  }

  #forget() {
    this.last = 0;
    this.timeline = [];
    this.#tracks.clear();
  }
}
