/**
 * The groups and rows of the board. Elements are made once from the templates of the page and kept by id, so that a change of
 * state moves and fills them and neither the focus nor the place on the page is lost.
 */

import { accuracySoFar, heightOf, percentRead, rateSoFar } from "./board_reading.js";
import { now } from "./clock.js";
import { fill, gettext, ngettext } from "./text.js";

const STRIP_WIDTH = 480;
const STAFF = 23;
const TALLEST = 40; // words of an answer whose bar is as high as the strip

const PLACES = {
  baseline: ({ question, of }) => (of ? fill(gettext("before: %(n)s of %(of)s"), { n: question, of }) : gettext("questions before")),
  content: ({ number, of }) => fill(gettext("part %(n)s of %(of)s"), { n: number, of }),
  intervention: ({ number, question }) => fill(gettext("pause %(n)s, Q%(q)s"), { n: number, q: question }),
  final: ({ question, of }) => (of ? fill(gettext("after: %(n)s of %(of)s"), { n: question, of }) : gettext("questions after")),
};

export class Rows {
  #place;
  #rowTemplate;
  #groupTemplate;
  #board;
  #rows = new Map();
  #groups = new Map();
  #words;

  /**
   * @param {HTMLElement} place
   * @param {{row: HTMLTemplateElement, group: HTMLTemplateElement}} templates
   * @param {import("./board_model.js").BoardModel} board
   * @param {Record<string, string>} words what a step is called, from the template
   */
  constructor(place, templates, board, words) {
    this.#place = place;
    this.#rowTemplate = templates.row;
    this.#groupTemplate = templates.group;
    this.#board = board;
    this.#words = words;
  }

  /** All rows, from top to bottom. */
  get all() {
    return [...this.#place.querySelectorAll(".row")];
  }

  redraw() {
    const focused = document.activeElement;
    const loners = this.#board.members(null);
    const shown = [...this.#board.groups, ...(loners.length || !this.#board.groups.length ? [null] : [])];
    const sections = shown.map((group) => this.#section(group));
    for (const [id, section] of this.#groups) {
      if (sections.includes(section)) continue;
      section.remove();
      this.#groups.delete(id);
    }
    sections.forEach((section, at) => {
      if (this.#place.children[at] !== section) this.#place.insertBefore(section, this.#place.children[at] ?? null);
    });
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    this.#keepOneTabStop();
  }

  /** The strips move with time alone. */
  refresh() {
    for (const [id, row] of this.#rows) {
      const student = this.#board.student(id);
      if (student && row.isConnected) this.#drawStrip(row, this.#board.seen(id));
    }
  }

  #section(group) {
    const id = group?.id ?? null;
    let section = this.#groups.get(id);
    if (!section) {
      section = this.#groupTemplate.content.firstElementChild.cloneNode(true);
      section.dataset.group = id ?? "";
      this.#groups.set(id, section);
    }
    const members = this.#board.members(id);
    const here = members.filter((student) => student.present !== "gone").length;
    section.querySelector("h3").textContent = group ? fill(gettext("Group %(number)s"), { number: group.number }) : gettext("No group yet");
    section.querySelector(".is-ready").hidden = !group?.ready;
    section.querySelector(".not-ready").hidden = !group || group.ready;
    section.querySelector(".count").textContent = members.length
      ? fill(gettext("%(here)s of %(all)s here"), { here, all: members.length })
      : gettext("nobody yet");
    const list = section.querySelector("ul");
    const rows = members.map((student) => this.#row(student, group));
    for (const row of [...list.children]) if (!rows.includes(row)) row.remove();
    rows.forEach((row, at) => {
      if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
    });
    return section;
  }

  #row(student, group) {
    let row = this.#rows.get(student.id);
    if (!row) {
      row = this.#rowTemplate.content.firstElementChild.cloneNode(true);
      row.dataset.student = student.id;
      this.#rows.set(student.id, row);
      this.#drawStrip(row, this.#board.seen(student.id));
    }
    row.querySelector(".label").textContent = student.label;
    row.querySelector(".lead").hidden = group?.leader !== student.id;
    row.querySelector(".behind").hidden = this.#board.slowest !== student.id;
    this.#fill(row, student);
    return row;
  }

  #fill(row, student) {
    const presence = row.querySelector(".presence");
    const { present } = student;
    const spoken = { here: gettext("here"), away: gettext("page left"), gone: gettext("not connected") }[present];
    presence.className = `presence ${present === "here" ? "" : present}`;
    if (presence.getAttribute("aria-label") !== spoken) presence.setAttribute("aria-label", spoken);
    row.classList.toggle("out", present === "gone");
    setText(row.querySelector(".where"), this.#where(student));
    const said = row.querySelector(".said");
    this.#fillReading(row, student);
    said.hidden = !student.way?.said;
    setText(said, student.way?.said ? `“${student.way.said}”` : "");
    this.#fillNeeds(row, student.needs);
  }

  /** Words correct a minute and accuracy so far, where somebody reads. */
  #fillReading(row, student) {
    const { reading } = this.#board.seen(student.id);
    const rate = reading && rateSoFar(reading);
    const accuracy = reading && accuracySoFar(reading);
    setText(row.querySelector(".rate b"), rate === null ? "" : String(Math.round(rate)));
    setText(row.querySelector(".rate span"), accuracy === null ? "" : `${Math.round(accuracy)} %`);
  }

  /** Where a student is, in words: the step, and in a study the pause, the part or the question. */
  where(student) {
    return this.#where(student);
  }

  #where(student) {
    const { way } = student;
    if (way && this.#board.session.status === "started") return PLACES[student.step]?.(way) ?? this.#words[student.step] ?? student.step;
    const { reading, progress } = this.#board.seen(student.id);
    const read = reading && percentRead(reading);
    if (read !== null && this.#board.session.status === "started") return `${Math.round(read)} %`;
    const latest = progress.at(-1);
    if (latest && this.#board.session.status === "started") return `${Math.round(latest.percent)} %`;
    if (student.step === "waiting" && student.ready) return this.#words.ready;
    return this.#words[student.step] ?? student.step;
  }

  #fillNeeds(row, needs) {
    const [first] = needs;
    row.dataset.needs = first?.kind ?? "";
    for (const badge of row.querySelectorAll(".flagged .badge")) badge.hidden = !badge.classList.contains(first?.kind ?? "none");
    const text = first && row.querySelector(`.flagged .${first.kind} span`);
    if (text) setText(text, needs.length > 1 ? `${first.text} +${needs.length - 1}` : first.text);
    row.querySelector(".flagged .sr").hidden = Boolean(first);
  }

  /**
   * The staff is drawn while the student is there, thick while the page is hidden. Above it a line says how far the student was,
   * from 0 to 100 %, or, while they read, how many words a minute; an answer is a bar as high as it has words; marks stand on the staff or hang below it.
   */
  #drawStrip(row, { spans, marks, answers, progress, rates }) {
    const { span: reach } = this.#board;
    const end = now();
    const from = end - reach;
    const x = (at) => Math.round(((Math.max(at, from) - from) / reach) * STRIP_WIDTH);
    const paths = { here: "", hush: "", pace: "", said: "", done: "", aid: "", miss: "", fix: "", stuck: "" };
    spans.forEach((span, at) => {
      const until = spans[at + 1]?.from ?? end;
      if (until < from || span.present === "gone") return;
      paths[span.present === "here" ? "here" : "hush"] += `M${x(span.from)} ${STAFF}H${x(until)}`;
    });
    const line = rates.length
      ? rates.map(({ rate, at }) => ({ height: heightOf(rate), at }))
      : progress.map(({ percent, at }) => ({ height: percent / 100, at }));
    if (progress.length && !rates.length) line.push({ ...line.at(-1), at: end });
    const before = line.findLastIndex((point) => point.at < from);
    line.slice(Math.max(before, 0)).forEach(({ height, at }) => {
      paths.pace += `${paths.pace ? "L" : "M"}${x(at)} ${Math.round(STAFF - 2 - height * (STAFF - 4))}`;
    });
    const recent = marks.filter((mark) => mark.at >= from);
    const below = [STAFF + 1, STAFF + 8];
    const upright = { done: [13, STAFF - 1], aid: [1, STAFF - 1], stuck: [1, STAFF - 1], miss: below, fix: [STAFF + 1, STAFF + 5] };
    for (const { kind, at } of recent) paths[kind] += `M${x(at)} ${upright[kind][0]}V${upright[kind][1]}`;
    for (const { words, at } of answers.filter((answer) => answer.at >= from)) {
      paths.said += `M${x(at)} ${STAFF - 1}V${Math.round(STAFF - 4 - (Math.min(words, TALLEST) / TALLEST) * (STAFF - 6))}`;
    }
    for (const path of row.querySelectorAll(".strip path[data-part]")) path.setAttribute("d", paths[path.dataset.part]);
    const helps = recent.filter(({ kind }) => kind === "aid").length;
    const given = answers.filter((answer) => answer.at >= from).length;
    const spoken = [];
    const missed = recent.filter(({ kind }) => kind === "miss").length;
    const stuck = recent.filter(({ kind }) => kind === "stuck").length;
    if (rates.length) spoken.push(fill(ngettext("%(n)s miscue in the last minutes.", "%(n)s miscues in the last minutes.", missed), { n: missed }));
    if (stuck) spoken.push(fill(ngettext("Stuck %(n)s time.", "Stuck %(n)s times.", stuck), { n: stuck }));
    if (helps) spoken.push(fill(ngettext("Asked for help %(n)s time in the last minutes.", "Asked for help %(n)s times in the last minutes.", helps), { n: helps }));
    if (given) spoken.push(fill(ngettext("%(n)s answer in the last minutes.", "%(n)s answers in the last minutes.", given), { n: given }));
    setText(row.querySelector(".track .sr"), spoken.join(" "));
  }

  /** One row is in the order of Tab; the arrows and J and K move among them. */
  #keepOneTabStop() {
    const rows = this.all;
    const current = rows.find((row) => row.tabIndex === 0) ?? rows[0];
    for (const row of rows) row.tabIndex = row === current ? 0 : -1;
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
