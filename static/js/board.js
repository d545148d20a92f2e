/**
 * The teacher's live board: keeps one socket, reads the timeline without a gap, and sends the teacher's decisions.
 *
 * <body data-link> says how the page stands to the server: live, catching-up, lost. What is on the page stays there in all three.
 * Decisions are ordinary requests; what they change comes back over the socket, like everything else.
 */

import { Chooser, listenToDrags, listenToKeys } from "./board_keys.js";
import { BoardModel } from "./board_model.js";
import { Rows } from "./board_rows.js";
import { TimelineList } from "./board_timeline.js";
import { clockSecond, now, setServerTime } from "./clock.js";
import { post, Refused } from "./request.js";
import { LiveSocket } from "./socket.js";
import { fill, gettext, ngettext } from "./text.js";

const REFRESH = 1_000;
const CAUGHT_UP_SHOWN = 4_000;
const CONFIRMED_SHOWN = 6_000;
const UNDO_SHOWN = 20_000;
// Content that was not played cannot be put back; a step that was only passed can.
const FINAL = new Set(["content"]);
// From the next step on the condition is what the run was made in.
const UNSETTLED = new Set(["agree", "consent", "waiting", "ready", "prior_knowledge"]);
// The student's own decision, and the end.
const FIXED = new Set(["agree", "consent", "done", "waiting", "ready", "ended", "left", "removed", "in_session"]);
// Events are sent in small parcels, so a position or a state may come in before the events that it counts.
const BEHIND_GRACE = 1_000;
const LINES_AT_ONCE = 50;
const ASK_AGAIN_AFTER = 1_000;

const config = JSON.parse(document.getElementById("config").textContent);
const find = (selector) => document.querySelector(selector);
const board = new BoardModel();
const rows = new Rows(find("#rows"), { row: find("#row-template"), group: find("#group-template") }, board, config.steps);
const timeline = new TimelineList(find("#timeline"), find("#line-template"), board);
const chooser = new Chooser(rows, showChosen);
const socket = new LiveSocket(config.socket, { onFrame: receive, onState: showLink });

let lostSince = null;
let caughtUpFrom = null;
let retryAt = null;
let resumedAt = -Infinity;
let behindSince = null;
let stateAwaited = true;
let redrawAsked = false;
let linesStale = false;

function receive(frame) {
  if (frame.type === "state") takeState(frame);
  else if (frame.type === "events") takeEvents(frame);
  else if (frame.type === "position") setTimeout(() => board.isBehind(frame) && resume(), BEHIND_GRACE);
  else if (frame.type === "error") say(frame.message, "act");
}

/** Asks for everything after the last event; once is enough while the answer is on its way. */
function resume() {
  caughtUpFrom ??= board.last;
  if (performance.now() - resumedAt < ASK_AGAIN_AFTER) return;
  if (socket.send({ type: "resume", epoch: board.epoch, after: board.last })) resumedAt = performance.now();
  setLink();
}

function takeState(frame) {
  stateAwaited = false;
  if (frame.server_time) setServerTime(frame.server_time);
  const { another, named } = board.applyState(frame);
  if (another) {
    resumedAt = -Infinity;
    resume();
  }
  if (named.size) timeline.rename(named);
  askRedraw({ lines: another });
  setLink();
}

function takeEvents(frame) {
  const { fresh, gap } = board.applyEvents(frame);
  if (gap) resume();
  const wasLive = document.body.dataset.link === "live";
  if (fresh.length < LINES_AT_ONCE) timeline.add(fresh);
  askRedraw({ lines: fresh.length >= LINES_AT_ONCE });
  if (wasLive) speak(fresh);
  setLink();
}

function askRedraw({ lines = false } = {}) {
  linesStale ||= lines;
  if (redrawAsked) return;
  redrawAsked = true;
  requestAnimationFrame(() => {
    redrawAsked = false;
    if (!board.session) return;
    rows.redraw();
    chooser.keep();
    if (linesStale) timeline.redraw();
    linesStale = false;
    showSession();
    showRequests();
    showSlowest();
    showCondition();
    showRemoved();
  });
}

function showLink(state, detail = {}) {
  if (state === "open") {
    stateAwaited = true;
    resumedAt = -Infinity;
    resume();
  }
  if (state === "lost") {
    lostSince ??= detail.since;
    caughtUpFrom = null;
    retryAt = detail.retryAt;
    document.body.dataset.link = "lost";
    showLost();
  }
  if (state === "stopped") {
    lostSince = null; // nothing to count down to
    document.body.dataset.link = "lost";
    banner("lost", config.stopped[detail.reason] ?? config.stopped.other);
    find("#try-now").hidden = true;
  }
}

function showLost() {
  const title = fill(gettext("Connection lost at %(time)s."), { time: clockSecond(lostSince) });
  const seconds = retryAt && Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const next = retryAt
    ? fill(ngettext("Trying again in %(n)s second.", "Trying again in %(n)s seconds.", seconds), { n: seconds })
    : gettext("Trying again as soon as this computer is online.");
  banner("lost", title, `${gettext("Nothing on this page is lost; what students do is kept on their devices.")} ${next}`);
}

/** Live as soon as every event up to the server's newest is here; until then the page says how far it is. */
function setLink() {
  if (!socket.isOpen || stateAwaited) return;
  if (!board.caughtUp) {
    behindSince ??= performance.now();
    if (document.body.dataset.link === "live" && performance.now() - behindSince < BEHIND_GRACE) {
      setTimeout(setLink, BEHIND_GRACE);
      return;
    }
    document.body.dataset.link = "catching-up";
    if (!lostSince) return;
    const missing = board.behind;
    const text = fill(ngettext("%(n)s event to come.", "%(n)s events to come.", missing), { n: missing });
    banner("catching-up", gettext("Connected again, catching up."), text);
    return;
  }
  behindSince = null;
  document.body.dataset.link = "live";
  const caught = board.last - (caughtUpFrom ?? board.last);
  if (lostSince) {
    const text = fill(ngettext("%(n)s event came in meanwhile.", "%(n)s events came in meanwhile.", caught), { n: caught });
    banner("live", gettext("Caught up."), caught ? text : gettext("Nothing happened meanwhile."));
    setTimeout(() => document.body.dataset.link === "live" && (find("#link-banner").hidden = true), CAUGHT_UP_SHOWN);
  }
  lostSince = caughtUpFrom = null;
}

function banner(state, title, text = "") {
  const place = find("#link-banner");
  const [tone, icon] = { lost: ["watch", "off"], "catching-up": ["watch", "sync"], live: ["good", "check"] }[state];
  place.className = `banner ${tone}`;
  place.querySelector("use").setAttribute("href", `#i-${icon}`);
  place.querySelector("b").textContent = title;
  place.querySelector("span").textContent = text;
  place.hidden = false;
  find("#try-now").hidden = state !== "lost";
}

function showSession() {
  const { session, counts, groups } = board;
  document.body.dataset.status = session.status;
  const running = find("#running");
  running.dateTime = session.status === "started" ? session.started_at : "";
  find("#count-here").textContent = counts.here;
  find("#count-joined").textContent = fill(gettext("of %(n)s"), { n: counts.joined });
  find("#count-ready").textContent = counts.readyGroups;
  find("#count-groups").textContent = fill(gettext("of %(n)s"), { n: groups.length });
  find("#nobody").hidden = counts.joined > 0;
  find("#colhead").hidden = counts.joined === 0;
  const select = find("#move");
  const options = groups.map(({ id, number }) => new Option(fill(gettext("Group %(number)s"), { number }), id));
  const noGroup = select.options[select.options.length - 1];
  const known = [...select.options].slice(0, -1).map((option) => option.value);
  if (known.join() !== groups.map(({ id }) => id).join()) select.replaceChildren(...options, noGroup);
}

function showMoments() {
  const minutes = board.span / 60_000;
  find("#scale-from").textContent = fill(gettext("%(n)s min ago"), { n: minutes });
  find("#scale-half").textContent = String(minutes / 2);
  rows.refresh();
}

function showRequests() {
  const place = find("#requests");
  const known = new Set([...place.children].map((item) => item.dataset.request));
  const wanted = new Set(board.requests.map(({ id }) => id));
  for (const item of [...place.children]) if (!wanted.has(item.dataset.request)) item.remove();
  for (const request of board.requests.filter(({ id }) => !known.has(id))) {
    const item = find("#request-template").content.firstElementChild.cloneNode(true);
    item.dataset.request = request.id;
    item.querySelector("b").textContent = request.label;
    item.querySelector("time").textContent = clockSecond(request.at);
    place.append(item);
  }
}

/** Whom the button would move on: the chosen student, or who is furthest behind. */
function toMoveOn() {
  const student = board.student(chooser.student ?? board.slowest);
  return student && student.way && !FIXED.has(student.step) ? student : null;
}

function showSlowest() {
  const button = find("#move-on-button");
  if (!button) return;
  const student = toMoveOn();
  button.disabled = !student;
  button.querySelector("span").textContent = chooser.student ? gettext("Move on") : gettext("Move on the slowest");
  if (!student || find("#move-on").open) return;
  const minutes = Math.max(0, Math.floor((now() - Date.parse(student.way.since)) / 60_000));
  find("#move-on-title").textContent = fill(gettext("Move %(name)s on?"), { name: student.label });
  find("#move-on-text").textContent = fill(
    ngettext("%(name)s is at “%(where)s”, for %(n)s minute.", "%(name)s is at “%(where)s”, for %(n)s minutes.", minutes),
    { name: student.label, where: rows.where(student), n: minutes },
  );
  Object.assign(find("#move-on").dataset, { student: student.id, step: student.step, number: student.way.number });
}

/** Which condition the chosen student has, and the choice of another one as long as there is one. What was drawn meanwhile is
 * said in an open dialog too; what is chosen in it stays. */
function showCondition() {
  const button = find("#condition-button");
  if (!button) return;
  const student = chooser.student && board.student(chooser.student);
  button.disabled = !student || !UNSETTLED.has(student.step);
  const dialog = find("#condition");
  const shown = dialog.open ? board.student(dialog.dataset.student) : student;
  if (!shown || (button.disabled && !dialog.open)) return;
  const { code, drawn } = shown.condition;
  const sentence = drawn ? gettext("Now it is %(code)s, drawn at random.") : gettext("Now it is %(code)s, fixed by hand.");
  find("#condition-title").textContent = fill(gettext("Which condition for %(name)s?"), { name: shown.label });
  find("#condition-now").textContent = code ? fill(sentence, { code }) : gettext("None yet: it is drawn when they begin.");
  if (dialog.open) return;
  find("#condition-choice").value = (drawn ? "" : code) ?? "";
  dialog.dataset.student = shown.id;
}

function showRemoved() {
  const list = find("#removed ul");
  const shown = [...list.children].map((item) => item.dataset.student).join();
  if (shown !== board.removed.map(({ id }) => id).join()) {
    list.replaceChildren(
      ...board.removed.map(({ id, label, at }) => {
        const item = find("#removed-template").content.firstElementChild.cloneNode(true);
        item.dataset.student = id;
        item.querySelector("b").textContent = label;
        item.querySelector("time").textContent = clockSecond(at);
        const button = item.querySelector("button");
        button.setAttribute("aria-label", fill(gettext("Let %(name)s back in"), { name: label }));
        return item;
      }),
    );
  }
  find("#removed").hidden = board.removed.length === 0;
}

function showChosen(id) {
  const student = id && board.student(id);
  find("#chosen-name").textContent = student ? student.label : gettext("All students");
  find("#tools").setAttribute("aria-label", student ? student.label : gettext("All students"));
  for (const control of document.querySelectorAll("[data-for-one]")) control.disabled = !student;
  if (student) find("#move").value = student.group ?? "none";
  if (!board.session) return;
  showSlowest();
  showCondition();
}

/** To a screen reader the timeline is silent, as it would never stop; what asks for the teacher is said. */
function speak(events) {
  const urgent = events.map((event) => timeline.urgent(event)).filter(Boolean);
  if (urgent.length) find("#spoken").textContent = urgent.join(". ");
}

function say(text, tone = "", undo = null) {
  const toast = find("#toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = text;
  toast.dataset.tone = tone;
  toast.querySelector("use").setAttribute("href", tone === "good" ? "#i-check" : "#i-flag");
  const button = toast.querySelector("[data-undo]");
  button.hidden = !undo;
  button.addEventListener("click", () => {
    toast.remove();
    undo();
  });
  find("#toasts").replaceChildren(toast);
  if (tone === "good") setTimeout(() => toast.remove(), undo ? UNDO_SHOWN : CONFIRMED_SHOWN);
}

async function decide(address, fields, button = null, done = "", undo = null) {
  button?.setAttribute("aria-busy", "true");
  try {
    await post(address, fields, config.csrf_token);
    if (done) say(done, "good", undo);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(error.message, "act");
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

/** Into a group, or out of all groups where `group` is empty. */
const moveTo = (student, group, button = null) => decide(config.urls.move, { student, group }, button);

const letBack = (student, button = null) => {
  const done = fill(gettext("%(name)s can join again with the code."), { name: board.label(student) });
  return decide(config.urls.let_back, { student }, button, done);
};

const DECISIONS = {
  start: (button) => decide(config.urls.start, {}, button),
  end: (button) => decide(config.urls.end, {}, button),
  attention: (button) => {
    const one = chooser.student;
    return decide(config.urls.attention, one ? { student: one } : {}, button, gettext("Attention check sent."));
  },
  move: (button) => {
    const group = find("#move").value;
    return moveTo(chooser.student, group === "none" ? "" : group, button);
  },
  leader: (button) => decide(config.urls.leader, { student: chooser.student }, button),
  remove: (button) => {
    const { student } = chooser;
    const done = fill(gettext("%(name)s was taken out."), { name: board.label(student) });
    return decide(config.urls.remove, { student }, button, done, () => letBack(student));
  },
  moveOn: (button) => {
    const { student, step, number } = find("#move-on").dataset;
    const done = fill(gettext("%(name)s was moved on."), { name: board.label(student) });
    const undo = FINAL.has(step) ? null : () => decide(config.urls.move_back, { student }, null, gettext("Taken back."));
    return decide(config.urls.move_on, { student, step, number }, button, done, undo);
  },
  condition: (button) => {
    const { student } = find("#condition").dataset;
    const condition = find("#condition-choice").value;
    const done = condition ? gettext("%(name)s has the condition %(code)s.") : gettext("%(name)s may have any condition again.");
    return decide(config.urls.condition, { student, condition }, button, fill(done, { name: board.label(student), code: condition }));
  },
  letBack: (button) => letBack(button.closest("[data-student]").dataset.student, button),
  request: (button) => {
    const { request } = button.closest("[data-request]").dataset;
    return decide(`${config.urls.requests}${request}`, { decision: button.value }, button);
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-decision]");
  if (button) DECISIONS[button.dataset.decision](button);
  const row = event.target.closest(".row");
  if (row) chooser.choose(row);
});
// A choice alone moves nobody: with the arrow keys each group on the way would be one.
find("#move").addEventListener("keydown", (event) => {
  if (event.key === "Enter") find('[data-decision="move"]').click();
});
find("#make-groups").addEventListener("submit", (event) => {
  event.preventDefault();
  decide(config.urls.groups, { count: event.target.elements.count.value }, event.submitter);
});
find("#filters").addEventListener("change", ({ target }) => timeline.choose(target.value));
find("#try-now").addEventListener("click", () => socket.retryNow());
find("#show-invite").addEventListener("click", ({ currentTarget }) => {
  const open = document.body.toggleAttribute("data-invite");
  currentTarget.setAttribute("aria-expanded", String(open));
});
listenToKeys(chooser, find("#letters"));
listenToDrags(find("#rows"), moveTo);

setInterval(() => {
  if (board.session) showMoments();
  if (document.body.dataset.link === "lost" && lostSince && !socket.isOpen) showLost();
}, REFRESH);
showChosen(null);
socket.open();
