/**
 * The student's page: shows the state that the server sends, and sends what the student does.
 *
 * Everything that the student does goes through the outbox, so a reload or a dead zone loses nothing; the page says where it is.
 * The markup of every step is in the template; this script shows one `[data-step]` at a time and fills its `[data-fill]`.
 */

import { setServerTime } from "./clock.js";
import { openDrafts } from "./drafts.js";
import { Outbox } from "./outbox.js";
import { LiveSocket } from "./socket.js";
import { openStore } from "./store.js";
import { fill, gettext, ngettext } from "./text.js";
import { Way } from "./way.js";

const HEARTBEAT = 30_000;
const POST_AFTER_FAILURES = 2;
const MOST_ERRORS = 20;
const LONGEST_PLACE = 64;
const LONGEST_MESSAGE = 300;
// Facts are only recorded: when one is refused there is nothing that the student could do about it.
const FACTS = new Set(["presence", "latency", "client_error", "progress", "playback", "microphone", "recording_stopped"]);
// What the server has of these already; it says so when a device sends them again in other words.
const HAD = new Set(["answered_already", "submitted_already", "other_step"]);

const config = JSON.parse(document.getElementById("config").textContent);
const find = (selector) => document.querySelector(selector);
const store = await openStore(config.student_session);
const drafts = await openDrafts(config.student_session);

let state = null;
let roundTrip = null;
let lastAttention = null;
let errors = 0;
let stopped = false;

const socket = new LiveSocket(config.socket, {
  onFrame: receive,
  onState: showLink,
  onRoundTrip: (milliseconds) => (roundTrip = milliseconds),
});
const outbox = new Outbox(store, {
  send: (frame) => socket.send(frame),
  post: config.events,
  token: config.csrf_token,
  onChange: showKept,
  onRefused: (record, error) => {
    if (!FACTS.has(record.event)) say(error.message, HAD.has(error.code) ? "watch" : "act");
    showBusy();
    way.refused(record, error.message);
  },
});
const way = new Way({
  send: (event, data) => outbox.add(event, data),
  waiting: (event) => outbox.waiting(event),
  isOpen: () => socket.isOpen,
  drafts,
  questionnaire: config.questionnaire,
});

const reading = config.reading ? await openReading() : null;

async function openReading() {
  const { ReadingAloud } = await import("./reading.js");
  const page = {
    send: (event, data = {}) => outbox.add(event, data),
    sendBytes: (bytes) => socket.sendBytes(bytes),
    waiting: (event) => outbox.holds(event),
    say,
    changed: showKept,
  };
  return ReadingAloud.open(config.student_session, page, config.reading);
}

function receive(frame) {
  if (frame.type === "ack") outbox.acknowledge(frame.acks);
  else if (frame.type === "error") {
    if (frame.key) outbox.fail(frame);
    else if (!reading?.tells(frame)) say(frame.message, "watch");
  }
  else if (frame.type === "state") show(frame);
  else reading?.frame(frame);
}

function stepOf({ session, me }) {
  if (me.step === "consent" && me.consents.participation === false) return "refused";
  return me.step;
}

function show(next) {
  const before = state && stepOf(state);
  state = next;
  setServerTime(next.server_time);
  const step = stepOf(next);
  document.body.dataset.step = step;
  for (const part of document.querySelectorAll("[data-step]")) {
    if (part !== document.body) part.hidden = !part.dataset.step.split(" ").includes(step);
  }
  find("#be-ready").hidden ||= next.me.ready;
  showWay(step, next.way);
  reading?.show(next.reading, step);
  showGroup(next.me.group, step);
  showAttention(next.attention);
  showBusy();
  if (before && before !== step) announce(step);
}

/** The study's steps have components of their own, and the dock one button for them. */
function showWay(step, study) {
  const onWay = Way.has(step);
  document.body.classList.toggle("on-way", onWay);
  for (const part of document.querySelectorAll("[data-on-way], [data-leave]")) part.hidden = !onWay;
  if (onWay) way.show(step, study ?? {});
  else {
    way.hide();
    find("#at").textContent = state.session.title;
  }
}

function showGroup(group, step) {
  const live = ["waiting", "ready", "in_session"].includes(step);
  find("#group").hidden = !live || !group;
  find("#no-group").hidden = !live || Boolean(group) || step === "in_session";
  find("#leader").hidden = !live || !group?.leader || step === "in_session";
  if (!group) return;
  find("#group-title").textContent = fill(gettext("Group %(number)s"), { number: group.number });
  find("#group-members").replaceChildren(
    ...group.members.map((label) => Object.assign(document.createElement("li"), { textContent: label })),
  );
  find("#leader-name").textContent =
    group.leader || !group.leader_label ? "" : fill(gettext("%(name)s leads this group."), { name: group.leader_label });
  find("#leader-said").hidden = !group.leader_ready;
  find('[data-action="leader_ready"]').hidden = group.leader_ready;
}

function showAttention(attention) {
  const panel = find("#attention");
  panel.hidden = !attention;
  if (!attention || attention.id === lastAttention) return;
  lastAttention = attention.id;
  find("#attention-text").textContent = attention.text || gettext("Are you here?");
  find("#attention button").focus();
}

/** A button whose action is still on its way is busy, and cannot be pressed twice. A fact can be told again. */
function showBusy() {
  for (const button of document.querySelectorAll("[data-action]")) {
    if (FACTS.has(button.dataset.action)) continue;
    const busy = outbox.holds(button.dataset.action);
    button.setAttribute("aria-busy", String(busy));
    button.disabled = busy;
  }
}

function showKept() {
  const waiting = outbox.size + (reading?.size ?? 0);
  const line = find("#kept");
  const [tone, icon, title, text] = !outbox.durable
    ? ["watch", "eye", gettext("Keep this page open"), gettext("This browser keeps nothing on the device; what is not sent yet would be lost.")]
    : waiting === 0
      ? ["good", "check", gettext("Saved"), gettext("Everything you did has arrived.")]
      : ["watch", "device", gettext("Kept on this device"), keptSentence(waiting)];
  line.className = `kept ${tone}`;
  line.querySelector("use").setAttribute("href", `#i-${icon}`);
  line.querySelector("b").textContent = title;
  line.querySelector("span").textContent = text;
  showBusy();
  way.changed();
}

function keptSentence(waiting) {
  if (socket.isOpen) return gettext("On its way.");
  const count = ngettext("%(n)s thing to send.", "%(n)s things to send.", waiting);
  return `${fill(count, { n: waiting })} ${gettext("It is sent by itself when the connection is back.")}`;
}

function showLink(link, detail = {}) {
  document.body.dataset.link = link === "open" ? "live" : link;
  if (link === "open") {
    outbox.resume();
    reading?.connected();
    beat();
  }
  if (link === "lost" && socket.failures >= POST_AFTER_FAILURES) outbox.sendByPost();
  if (link === "stopped") stop(detail.reason);
  showKept();
}

/** The server said not to come back: say why, once, in the place of everything else. */
function stop(reason) {
  stopped = true;
  outbox.sendByPost();
  if (reason === "session-over" && state) {
    show({ ...state, me: { ...state.me, step: "ended" }, attention: null });
    return;
  }
  for (const part of document.querySelectorAll("main [data-step], #group, #no-group, #leader, #attention")) part.hidden = true;
  way.hide();
  document.body.classList.remove("on-way");
  find(`[data-stopped~="${reason}"]`).hidden = false;
  find(`[data-stopped~="${reason}"] h1`).focus();
}

function announce(step) {
  const title = find(`main [data-step~="${step}"] h1`);
  title?.focus();
}

function say(text, tone) {
  const toast = find("#toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = text;
  toast.dataset.tone = tone;
  toast.querySelector("use").setAttribute("href", tone === "good" ? "#i-check" : "#i-flag");
  find("#toasts").replaceChildren(toast);
}

const ACTIONS = {
  consent: (button) => ({ purpose: "participation", decision: button.dataset.decision, version: state.me.consent_version }),
  leader_ready: () => ({ ready: true }),
  progress: (button) => ({ step: button.dataset.name, percent: Number(button.dataset.percent) }),
  attention_confirmed: () => ({ check: lastAttention }),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (!button || button.disabled) return;
  const { action } = button.dataset;
  outbox.add(action, ACTIONS[action]?.(button) ?? {});
  if (action === "attention_confirmed") find("#attention").hidden = true;
  if (action === "help_request") say(gettext("Your teacher is told that you would like help."), "good");
  if (action === "progress") markProgress(button);
});

function markProgress(chosen) {
  for (const button of document.querySelectorAll('[data-action="progress"]')) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
}

function beat() {
  if (socket.isOpen && roundTrip !== null) outbox.add("latency", { rtt_ms: roundTrip });
}

function reportError(where, message) {
  // Bounded, and without the page's own text: a message may quote what a student wrote.
  if (errors++ >= MOST_ERRORS) return;
  outbox.add("client_error", { where: where.slice(0, LONGEST_PLACE), message: message.slice(0, LONGEST_MESSAGE) });
}

document.addEventListener("visibilitychange", () => {
  const visible = document.visibilityState === "visible";
  if (!stopped) outbox.add("presence", { visible });
  if (!visible && !socket.isOpen) outbox.sendByPost({ leaving: true });
});
addEventListener("pagehide", () => outbox.sendByPost({ leaving: true }));
addEventListener("online", () => stopped && outbox.sendByPost());
addEventListener("error", ({ filename, lineno, error }) => {
  reportError(`${(filename ?? "").split("/").pop()}:${lineno}`, error?.name ?? "Error");
});
addEventListener("unhandledrejection", ({ reason }) => reportError("promise", reason?.name ?? "Error"));
setInterval(beat, HEARTBEAT);

if (config.state) show(config.state);
await outbox.resume();
outbox.add("presence", { visible: document.visibilityState === "visible" });
socket.open();
