/**
 * The timeline as a list: one line for each event, newest first, filtered by the chips above it.
 */

import { clockSecond } from "./clock.js";
import { fill, gettext, ngettext } from "./text.js";

const MOST_LINES = 200;

/** What a student decided about a purpose. */
const AGREED = {
  participation: (yes) => (yes ? gettext("takes part") : gettext("only listens")),
  audio: (yes) => (yes ? gettext("lets the voice be recorded") : gettext("wants no voice recorded")),
  keep_audio: (yes) => (yes ? gettext("lets the recording be kept") : gettext("wants no recording kept")),
  location: (yes) => (yes ? gettext("lets the place be checked") : gettext("wants no place checked")),
  survey: (yes) => (yes ? gettext("will answer the survey") : gettext("wants no survey")),
  research: (yes) => (yes ? gettext("lets researchers use the answers") : gettext("wants no use in research")),
  data_sharing: (yes) => (yes ? gettext("lets researchers share the answers") : gettext("wants no sharing with other researchers")),
};

/**
 * Every kind that makes a line: [icon, tone, filters, sentence]. The sentence says what the student, or the class, did;
 * a kind that is missing here makes no line. Filters: marks, joins, groups, answers, mine.
 */
const LINES = {
  configured: ["file", "", "mine", () => gettext("Session set up")],
  started: ["play", "good", "mine", () => gettext("Session started")],
  ended: ["pause", "good", "mine", ({ data }) => (data.reason === "idle" ? gettext("Session ended by itself, after three idle hours") : gettext("Session ended"))],
  member_join: ["enter", "", "joins", ({ data }) => (data.again ? gettext("came back") : gettext("joined"))],
  member_leave: ["leave", "watch", "joins marks", () => gettext("left")],
  member_removed: ["leave", "", "joins mine", () => gettext("was taken out")],
  member_let_back: ["enter", "", "joins mine", () => gettext("was let back in")],
  member_moved: ["move", "", "groups mine", ({ data }) =>
    data.number ? fill(gettext("moved to group %(number)s"), { number: data.number }) : gettext("moved out of the groups")],
  groups_made: ["group", "", "groups mine", ({ data }) => fill(gettext("%(count)s groups made"), { count: data.groups })],
  leader_chosen: ["lead", "", "groups mine", ({ data }) => fill(gettext("leads group %(number)s"), { number: data.number })],
  leader_ready: ["check", "good", "groups", ({ data }, board) => {
    const number = board.groups.find((group) => group.id === data.group)?.number ?? "";
    const said = data.ready ? gettext("says that group %(number)s is ready") : gettext("says that group %(number)s is not ready yet");
    return fill(said, { number });
  }],
  ready: ["check", "good", "groups", () => gettext("is ready")],
  not_ready: ["clock", "", "groups", () => gettext("is not ready yet")],
  consent: ["pen", "", "joins", ({ data }) => (AGREED[data.purpose] ?? AGREED.participation)(data.decision === "granted")],
  presence: ["eye", "watch", "marks", ({ data }) => (data.visible ? null : gettext("page hidden"))],
  socket_opened: ["sync", "", "joins", () => gettext("connected")],
  socket_closed: ["off", "watch", "marks", () => gettext("connection closed")],
  client_error: ["flag", "act", "marks", () => gettext("an error on the device")],
  attention_check: ["bell", "", "mine", () => gettext("Attention check")],
  attention_confirmed: ["check", "good", "marks", () => gettext("is here")],
  help_request: ["hand", "act", "marks", () => gettext("asks for help")],
  takeover_requested: ["device", "watch", "joins", () => gettext("asks to go on with a new device")],
  takeover_granted: ["device", "", "joins mine", () => gettext("goes on with a new device")],
  takeover_refused: ["device", "", "joins mine", () => gettext("stays with the old device")],
  condition_assigned: ["file", "", "mine", ({ data }) => (data.randomised ? fill(gettext("drew the condition %(code)s"), { code: data.code }) : fill(gettext("has the condition %(code)s"), { code: data.code }))],
  condition_fixed: ["file", "", "mine", ({ data }) => (data.code ? fill(gettext("was given the condition %(code)s by hand"), { code: data.code }) : gettext("may have any condition again"))],
  prior_knowledge: ["check", "good", "answers", () => gettext("said what they know already")],
  place: ["screen", "", "answers", ({ data }) => PLACE[data.found]?.() ?? gettext("went on without the place")],
  assessment_submitted: ["check", "good", "answers", ({ data }) =>
    fill(data.form === "baseline" ? gettext("handed in the questions before, %(n)s answered") : gettext("handed in the questions after, %(n)s answered"), { n: data.answered ?? 0 })],
  content_begun: ["play", "", "answers", () => gettext("began the content")],
  content_reached: ["right", "", "answers", ({ data }) => fill(gettext("finished part %(n)s, or came to a pause in it"), { n: data.segment })],
  intervention_opened: ["pause", "", "answers", ({ data }) => fill(gettext("pause %(n)s of %(of)s"), { n: data.number, of: data.of })],
  question_asked: ["right", "", "answers", ({ data }) => (data.fell_back ? fill(gettext("question %(n)s of 3, by the rules"), { n: data.number }) : fill(gettext("question %(n)s of 3"), { n: data.number }))],
  exchange_answer: ["check", "good", "answers", ({ data }) =>
    fill(ngettext("answered question %(q)s in %(s)s s, %(n)s word", "answered question %(q)s in %(s)s s, %(n)s words", data.words), { q: data.number, s: Math.round(data.response_seconds), n: data.words })],
  intervention_closed: ["play", "", "answers", ({ data }) => (data.status === "validated" ? fill(gettext("finished pause %(n)s"), { n: data.number }) : fill(gettext("left pause %(n)s unfinished"), { n: data.number }))],
  survey_submitted: ["check", "good", "answers", () => gettext("handed in the survey")],
  moved_on: ["skip", "", "mine answers", () => gettext("was moved on")],
  moved_back: ["left", "", "mine answers", () => gettext("was moved back")],
  reading_started: ["mic", "good", "answers", () => gettext("begins to read")],
  reading_finished: ["check", "", "answers", () => gettext("says that the reading is finished")],
  reading_ended: ["check", "good", "answers", ({ data }) => {
    if (data.wcpm === null) return fill(ngettext("spoke %(n)s word", "spoke %(n)s words", data.words), { n: data.words });
    return fill(gettext("read %(wcpm)s words correct a minute, accuracy %(accuracy)s %%"), { wcpm: Math.round(data.wcpm), accuracy: Math.round(data.accuracy ?? 0) });
  }],
  window: ["clock", "", "answers", ({ data }) =>
    data.wcpm === null ? fill(gettext("minute %(n)s: %(wpm)s words"), { n: data.number + 1, wpm: Math.round(data.wpm ?? 0) })
      : fill(gettext("minute %(n)s: %(wcpm)s words correct, %(errors)s miscues"), { n: data.number + 1, wcpm: Math.round(data.wcpm), errors: data.errors })],
  microphone: ["mic", "watch", "marks", ({ data }) => MICROPHONE[data.state]?.() ?? null],
  listening: ["sound", "watch", "marks", ({ data }) => (data.state === "waiting" ? gettext("waits for a listener") : null)],
  struggle: ["flag", "act", "marks", ({ data }) => (data.word ? fill(gettext("is stuck at “%(word)s”"), { word: data.word }) : gettext("is stuck"))],
  stuck: ["hand", "watch", "marks", () => gettext("asks for help with a word")],
  help_given: ["sound", "", "answers marks", ({ data }) => fill(gettext("got help with “%(word)s”"), { word: data.word })],
  help_played: ["sound", "good", "answers", () => gettext("listened to the help")],
  help_dismissed: ["right", "", "answers", () => gettext("went on without the help")],
  action_refused: ["flag", "watch", "marks", () => gettext("did something that could not be taken")],
};

const MICROPHONE = {
  paused: () => gettext("pauses"),
  refused: () => gettext("did not allow the microphone"),
  missing: () => gettext("has no microphone"),
  busy: () => gettext("has a microphone that another program uses"),
  unsupported: () => gettext("has a browser that cannot record"),
  silent: () => gettext("cannot be heard: the microphone is silent"),
  lost: () => gettext("lost the microphone"),
};

const PLACE = {
  verified: () => gettext("is at the place"),
  outside: () => gettext("is not at the place"),
  low_accuracy: () => gettext("could not show the place exactly"),
  refused: () => gettext("did not tell the place"),
  not_asked: () => gettext("was not asked for the place"),
};

export class TimelineList {
  #list;
  #template;
  #board;
  #filter = "all";
  #events = new WeakMap();

  /** @param {HTMLElement} list @param {HTMLTemplateElement} template @param {import("./board_model.js").BoardModel} board */
  constructor(list, template, board) {
    this.#list = list;
    this.#template = template;
    this.#board = board;
  }

  /** Shows only the lines of one filter. */
  choose(filter) {
    this.#filter = filter;
    this.redraw();
  }

  /** All lines again: after the filter changed, many events came in at once, or another timeline began. */
  redraw() {
    const lines = [];
    for (let at = this.#board.timeline.length - 1; at >= 0 && lines.length < MOST_LINES; at -= 1) {
      const line = this.#line(this.#board.timeline[at]);
      if (line) lines.push(line);
    }
    this.#list.replaceChildren(...lines);
  }

  /** Puts new events on top. */
  add(events) {
    for (const event of events) {
      const line = this.#line(event);
      if (!line) continue;
      line.classList.add("new");
      this.#list.prepend(line);
    }
    while (this.#list.children.length > MOST_LINES) this.#list.lastElementChild.remove();
  }

  /** Writes the lines of some students again, whose names have become known. @param {Set<string>} students */
  rename(students) {
    for (const line of this.#list.children) {
      const event = this.#events.get(line);
      if (students.has(event.student)) this.#fill(line, event);
    }
  }

  /** What an event says aloud, or null where it can wait. */
  urgent(event) {
    const [, tone, , sentence] = LINES[event.event] ?? [];
    return tone === "act" ? `${this.#board.label(event.student) ?? ""} ${sentence(event, this.#board)}`.trim() : null;
  }

  #line(event) {
    const [, tone, filters, sentence] = LINES[event.event] ?? [];
    if (!sentence || (this.#filter !== "all" && !filters.split(" ").includes(this.#filter))) return null;
    if (!sentence(event, this.#board)) return null;
    const line = this.#template.content.firstElementChild.cloneNode(true);
    if (tone) line.classList.add(tone);
    line.classList.toggle("late", event.late);
    this.#events.set(line, event);
    this.#fill(line, event);
    return line;
  }

  #fill(line, event) {
    const [icon, , , sentence] = LINES[event.event];
    const text = sentence(event, this.#board);
    const name = this.#board.label(event.student);
    const time = line.querySelector("time");
    time.dateTime = event.at;
    time.textContent = clockSecond(event.at);
    line.querySelector("use").setAttribute("href", `#i-${icon}`);
    line.querySelector("b").textContent = name ?? text;
    line.querySelector("[data-rest]").textContent = name ? ` ${text}` : "";
    line.querySelector("em").hidden = !event.late;
  }
}
