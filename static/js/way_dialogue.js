/**
 * A pause: questions one at a time. What is written is on the device with every stroke; an answer that was given stays there until
 * the server has it, and only then the next question is made.
 */

import { fill, gettext } from "./text.js";

const KEEP_AFTER = 300;

export class Dialogue {
  #root;
  #page;
  #material = null;
  #shown = null;
  #seconds = 0;
  #since = null;
  #timer = 0;
  #given = new Set();

  constructor(root, page) {
    this.#root = root;
    this.#page = page;
    this.answer.addEventListener("input", () => {
      this.#fail("");
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#keep(), KEEP_AFTER);
    });
    this.answer.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.go();
    });
    document.addEventListener("visibilitychange", () => this.#clock(document.visibilityState === "visible"));
  }

  get answer() {
    return this.#root.querySelector("#dialogue-answer");
  }

  enter(material) {
    this.#shown = null;
    this.update(material);
  }

  update(material) {
    this.#material = material;
    this.#before();
    const open = this.#open();
    if (open && open.id !== this.#shown) this.#ask(open);
    this.changed();
  }

  leave() {
    this.#clock(false);
    clearTimeout(this.#timer);
    if (this.#shown && this.answer.value) this.#keep();
  }

  /** What is shown depends on the server's state and on what is still on this device. */
  changed() {
    if (!this.#material) return;
    const open = this.#open();
    for (const { data } of this.#page.waiting("exchange_answer")) this.#given.add(data.exchange);
    const writing = open && !this.#given.has(open.id);
    this.#root.querySelector("#dialogue-form").hidden = !writing;
    const thinking = this.#root.querySelector("#dialogue-thinking");
    const was = thinking.hidden;
    thinking.hidden = Boolean(writing);
    if (!writing) thinking.querySelector("span").textContent = this.#meanwhile(open);
    if (was && !writing) this.#page.speak(this.#meanwhile(open));
    const { exchanges, questions } = this.#material;
    const number = open?.number ?? exchanges.length + 1;
    this.#page.count(Math.min(number, questions), questions, fill(gettext("Question %(n)s of %(of)s"), { n: Math.min(number, questions), of: questions }));
    if (!writing) this.#page.button(null);
    else this.#page.button({ label: number < questions ? gettext("Next question") : gettext("Go on") });
  }

  go() {
    const open = this.#open();
    const text = this.answer.value.trim();
    if (!open) return;
    if (!text) {
      this.#fail(gettext("Write something first. A few words are enough, also that you do not know."));
      this.answer.focus();
      return;
    }
    this.#clock(false);
    this.#page.send("exchange_answer", { exchange: open.id, text, seconds: Math.round(this.#seconds * 10) / 10 });
  }

  #open() {
    return this.#material.exchanges.find(({ answer }) => answer === null);
  }

  /** What was not taken is in its field again, whole. */
  refused({ event, data }, message) {
    if (event !== "exchange_answer") return;
    this.#given.delete(data.exchange);
    if (data.exchange === this.#shown) {
      this.answer.value = data.text;
      this.#fail(message);
    }
    this.changed();
  }

  /** `open` is the question whose answer is on its way; without one the next question is awaited. */
  #meanwhile(open) {
    if (open && !this.#page.isOpen()) {
      return gettext("Your answer is kept on this device. It is sent by itself when the connection is back; then it goes on.");
    }
    if (!this.#page.isOpen()) return gettext("No connection at the moment. The next question comes when it is back.");
    const last = this.#material.exchanges.length >= this.#material.questions;
    return last ? gettext("One moment.") : gettext("Thinking about what you wrote. The next question comes in a moment.");
  }

  async #ask(open) {
    this.#shown = open.id;
    const title = this.#root.querySelector("#dialogue-question");
    title.textContent = open.question;
    this.#fail("");
    this.answer.value = "";
    this.#seconds = 0;
    this.#since = null;
    const draft = await this.#page.drafts.get(`exchange:${open.id}`);
    if (this.#shown !== open.id) return;
    this.answer.value = draft?.text ?? "";
    this.#seconds = draft?.seconds ?? 0;
    this.#clock(document.visibilityState === "visible");
    title.focus();
    title.scrollIntoView({ block: "nearest" });
  }

  #before() {
    const template = this.#root.querySelector("#before-template");
    const answered = this.#material.exchanges.filter(({ answer }) => answer !== null);
    this.#root.querySelector("#said-before").replaceChildren(
      ...answered.map(({ question, answer }) => {
        const part = template.content.firstElementChild.cloneNode(true);
        part.querySelector("summary").textContent = fill(gettext("Before: %(question)s"), { question });
        part.querySelector("p").textContent = answer;
        return part;
      }),
    );
  }

  /** Seconds that the question was in front of the student. */
  #clock(running) {
    const now = performance.now();
    if (this.#since !== null) this.#seconds += (now - this.#since) / 1000;
    this.#since = running && this.#shown ? now : null;
  }

  #keep() {
    this.#clock(this.#since !== null);
    return this.#page.drafts.keep(`exchange:${this.#shown}`, { text: this.answer.value, seconds: this.#seconds });
  }

  #fail(text) {
    const error = this.#root.querySelector("#dialogue-error");
    error.hidden = !text;
    error.querySelector("span").textContent = text;
    this.answer.setAttribute("aria-invalid", String(Boolean(text)));
  }
}
