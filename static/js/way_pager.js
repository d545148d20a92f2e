/**
 * Questions one page at a time: the questionnaire, the assessments, the survey. Answers are on the device as they are given; those of an
 * assessment also go to the server one by one, so that another device can go on. The last page hands everything in.
 */

import { fill, gettext, ngettext } from "./text.js";

const KEEP_AFTER = 300;
const HAND_IN = { questionnaire: "prior_knowledge", assessment: "assessment_submitted", survey: "survey_submitted" };

export class Pager {
  #root;
  #page;
  #material = null;
  #at = 0;
  #answers = {};
  #seconds = {};
  #sent = {};
  #since = null;
  #timer = 0;
  #begun = 0;
  #handedIn = false;

  constructor(root, page) {
    this.#root = root;
    this.#page = page;
    root.addEventListener("input", ({ target }) => this.#take(target));
    root.querySelector("#pager-back").addEventListener("click", () => this.#turn(this.#at - 1));
    root.querySelector("#pager-skip").addEventListener("click", () => this.#skip());
    root.querySelector("#pager-fields").addEventListener("click", ({ target }) => {
      const open = target.closest("[data-page]");
      if (open) this.#turn(Number(open.dataset.page));
    });
    document.addEventListener("visibilitychange", () => this.#clock(document.visibilityState === "visible"));
  }

  async enter(material) {
    this.#material = material;
    const fields = material.pages.flatMap((page) => page.fields);
    this.#answers = { ...material.answers };
    this.#sent = { ...this.#answers };
    this.#seconds = {};
    this.#at = 0;
    this.#handedIn = false;
    this.#begun = Date.now();
    this.#root.querySelector("form").hidden = true;
    const draft = await this.#page.drafts.get(material.id);
    if (this.#material !== material) return;
    const known = new Set(fields.map(({ id }) => id));
    for (const [id, answer] of Object.entries(draft?.answers ?? {})) {
      if (answer === null) delete this.#answers[id];
      else if (known.has(id)) this.#answers[id] = answer;
    }
    this.#seconds = draft?.seconds ?? {};
    this.#begun = draft?.begun ?? this.#begun;
    this.#root.querySelector("form").hidden = false;
    const first = material.pages.findIndex((page) => page.fields.some(({ id }) => this.#answers[id] === undefined));
    this.#turn(draft?.at ?? (first < 0 ? material.pages.length - (this.#reviews ? 0 : 1) : first));
  }

  update(material) {
    // The answers that came back are those that were sent from here; what is on the page stays as it is.
    if (material.id !== this.#material?.id) this.enter(material);
    else this.changed();
  }

  leave() {
    this.#clock(false);
    this.#since = null;
    clearTimeout(this.#timer);
    if (this.#material) this.#keep();
  }

  changed() {
    if (!this.#material) return;
    if (this.#handedIn || this.#page.waiting(HAND_IN[this.#material.kind]).length) {
      this.#page.busy();
      return;
    }
    this.#page.button({ label: this.#isLast ? gettext("Hand in") : gettext("Next"), icon: this.#isLast ? "check" : "right" });
  }

  refused({ event }, message) {
    if (event !== HAND_IN[this.#material?.kind]) return;
    this.#handedIn = false;
    this.#fail(message);
    this.changed();
  }

  go() {
    if (!this.#reviewing) {
      const missing = this.#current.fields.find(({ id, required }) => required && this.#answers[id] === undefined);
      if (missing) {
        this.#fail(gettext("Choose an answer first."));
        this.#root.querySelector(`[data-field="${missing.id}"] :is(input, textarea)`)?.focus();
        return;
      }
      this.#clock(true);
      this.#sendAnswers();
    }
    if (this.#isLast) this.#handIn();
    else this.#turn(this.#at + 1);
  }

  /** An assessment ends on a page that says what is still open; the other forms are handed in from their last page. */
  get #reviews() {
    return this.#material.kind === "assessment";
  }

  get #reviewing() {
    return this.#at >= this.#material.pages.length;
  }

  get #isLast() {
    return this.#reviews ? this.#reviewing : this.#at === this.#material.pages.length - 1;
  }

  get #current() {
    return this.#material.pages[this.#at];
  }

  #skip() {
    for (const { id } of this.#current.fields) delete this.#answers[id];
    this.#clock(true);
    this.#sendAnswers();
    this.#turn(this.#at + 1);
  }

  #turn(to) {
    this.#clock(true);
    this.#at = Math.max(0, Math.min(to, this.#material.pages.length - (this.#reviews ? 0 : 1)));
    this.#fail("");
    this.#root.querySelector("#pager-back").hidden = this.#at === 0;
    const of = this.#material.pages.length;
    if (this.#reviewing) this.#review();
    else {
      const { title, note, fields } = this.#current;
      this.#root.querySelector("#pager-skip").hidden = !this.#reviews;
      this.#root.querySelector("#pager-title").textContent = title;
      const hint = this.#root.querySelector("#pager-note");
      hint.hidden = !note;
      hint.textContent = note ?? "";
      this.#root.querySelector("#pager-fields").replaceChildren(...fields.map((field) => this.#field(field, field.text === title)));
    }
    const n = Math.min(this.#at + 1, of);
    this.#page.count(n, of, fill(gettext("%(n)s of %(of)s"), { n, of }));
    this.changed();
    this.#keep();
    const title = this.#root.querySelector("#pager-title");
    title.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }

  #review() {
    const open = this.#material.pages
      .map(({ fields }, at) => ({ at, isOpen: fields.some(({ id }) => this.#answers[id] === undefined) }))
      .filter(({ isOpen }) => isOpen);
    const { length: of } = this.#material.pages;
    this.#root.querySelector("#pager-skip").hidden = true;
    this.#root.querySelector("#pager-title").textContent = gettext("Hand in?");
    const note = this.#root.querySelector("#pager-note");
    note.hidden = false;
    note.textContent = open.length
      ? fill(ngettext("%(n)s question has no answer yet. You can go back to it, or hand in as it is.", "%(n)s questions have no answer yet. You can go back to them, or hand in as it is.", open.length), { n: open.length })
      : fill(gettext("All %(n)s questions have an answer. After this you cannot change them."), { n: of });
    this.#root.querySelector("#pager-fields").replaceChildren(
      ...open.map(({ at }) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "button wide";
        button.dataset.page = at;
        button.textContent = fill(gettext("To question %(n)s"), { n: at + 1 });
        return button;
      }),
    );
  }

  /** `said`: the page's title says already what is asked. */
  #field({ id, kind, text, options, low, high }, said) {
    const build = { scale: "scale", choice: "choice", yesno: "choice", text: "text" }[kind];
    const field = this.#root.querySelector(`#${build}-template`).content.firstElementChild.cloneNode(true);
    field.dataset.field = id;
    field.dataset.kind = kind;
    const label = field.querySelector("legend, label");
    label.textContent = text;
    if (said) label.className = "sr";
    if (kind === "text") {
      const area = field.querySelector("textarea");
      area.id = `field-${id}`;
      label.htmlFor = area.id;
      area.value = this.#answers[id] ?? "";
      return field;
    }
    const choices =
      kind === "scale" ? [1, 2, 3, 4, 5].map((n) => [n, String(n)])
      : kind === "yesno" ? [[true, gettext("Yes")], [false, gettext("No")]]
      : options;
    const template = this.#root.querySelector("#option-template");
    const place = field.querySelector("div");
    if (kind === "yesno") place.className = "two";
    choices.forEach(([value, shown], at) => {
      const option = template.content.firstElementChild.cloneNode(true);
      const radio = option.querySelector("input");
      radio.name = `field-${id}`;
      radio.value = JSON.stringify(value);
      radio.checked = this.#answers[id] === value;
      option.querySelector("span").textContent = shown;
      if (kind === "scale" && at === 0 && low) radio.setAttribute("aria-label", `1: ${low}`);
      if (kind === "scale" && at === 4 && high) radio.setAttribute("aria-label", `5: ${high}`);
      place.append(option);
    });
    if (kind === "scale") {
      const [from, to] = field.querySelectorAll(".ends span");
      from.textContent = low ?? "";
      to.textContent = high ?? "";
    }
    return field;
  }

  #take(control) {
    const field = control.closest("[data-field]");
    if (!field) return;
    const { field: id, kind } = field.dataset;
    if (kind === "text") {
      const text = control.value.trim();
      if (text) this.#answers[id] = control.value;
      else delete this.#answers[id];
    } else {
      this.#answers[id] = JSON.parse(control.value);
    }
    this.#fail("");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), KEEP_AFTER);
  }

  #sendAnswers() {
    if (this.#material.kind !== "assessment") return;
    for (const { id } of this.#current.fields) {
      const answer = this.#answers[id] ?? null; // null takes back what was sent
      if (answer === (this.#sent[id] ?? null)) continue;
      this.#sent[id] = answer;
      this.#page.send("assessment_answer", { form: this.#material.form, question: id, answer, seconds: this.#secondsOf(id) });
    }
  }

  #handIn() {
    const { kind, form, pages } = this.#material;
    const fields = pages.flatMap((page) => page.fields);
    this.#handedIn = true;
    const seconds = Math.round((Date.now() - this.#begun) / 100) / 10;
    if (kind === "assessment") {
      const given = fields.filter(({ id }) => this.#answers[id] !== undefined);
      const answers = given.map(({ id }) => ({ question: id, answer: this.#answers[id], seconds: this.#secondsOf(id) }));
      this.#page.send("assessment_submitted", { form, answers });
    } else if (kind === "questionnaire") {
      this.#page.send("prior_knowledge", { ratings: fields.map(({ id }) => this.#answers[id]) });
    } else {
      this.#page.send("survey_submitted", { answers: this.#answers, seconds: Math.min(seconds, 86_400) });
    }
    this.changed();
  }

  #secondsOf(id) {
    return Math.min(86_400, Math.round((this.#seconds[id] ?? 0) * 10) / 10);
  }

  /** Seconds that each question was in front of the student. */
  #clock(running) {
    const now = performance.now();
    if (this.#since !== null && this.#material && !this.#reviewing) {
      for (const { id } of this.#current.fields) this.#seconds[id] = (this.#seconds[id] ?? 0) + (now - this.#since) / 1000;
    }
    this.#since = running ? now : null;
  }

  #keep() {
    clearTimeout(this.#timer);
    const takenBack = Object.fromEntries(Object.keys(this.#sent).map((id) => [id, null]));
    const value = { answers: { ...takenBack, ...this.#answers }, seconds: { ...this.#seconds }, at: this.#at, begun: this.#begun };
    return this.#page.drafts.keep(this.#material.id, value);
  }

  #fail(text) {
    const error = this.#root.querySelector("#pager-error");
    error.hidden = !text;
    error.querySelector("span").textContent = text;
  }
}
