/**
 * The student's way through a study, one step at a time. The server's state says which step it is (`me.step`) and what belongs to it
 * (`way.material`); a component shows it. Components:
 *
 *   enter(material)   the step begins, or the page was loaded in the middle of it
 *   update(material)  the server said something new about it
 *   changed()         an event was kept or sent
 *   refused(record, message)  an event was not taken
 *   go()              the button in the dock was pressed
 *   leave()           another step begins
 */

import { Agreement } from "./way_agree.js";
import { Dialogue } from "./way_dialogue.js";
import { Pager } from "./way_pager.js";
import { Place } from "./way_place.js";
import { Player } from "./way_player.js";
import { fill, gettext } from "./text.js";

const COMPONENTS = { agree: Agreement, pager: Pager, place: Place, player: Player, dialogue: Dialogue };

const NAMES = {
  agree: () => gettext("Before you begin"),
  prior_knowledge: () => gettext("What you know already"),
  place: () => gettext("Where you are"),
  baseline: () => gettext("Questions before"),
  content: ({ title }) => title,
  intervention: ({ number, of }) => fill(gettext("Pause %(number)s of %(of)s"), { number, of }),
  final: () => gettext("Questions after"),
  survey: () => gettext("How it was for you"),
  done: () => gettext("Done"),
};

export class Way {
  #parts = new Map();
  #shown = null;
  #step = null;
  #context;

  /**
   * @param {{send: (event: string, data: object) => Promise<void>, waiting: (event: string) => object[],
   *          drafts: import("./drafts.js").Drafts, isOpen: () => boolean, questionnaire: object[]}} page
   */
  constructor(page) {
    this.#context = {
      ...page,
      button: (shape) => this.#button(shape),
      count: (now, of, text) => this.#count(now, of, text),
      speak: (text) => (document.getElementById("spoken").textContent = text),
      busy: () => this.#busy(),
    };
    const go = document.getElementById("go");
    go.addEventListener("click", () => this.#shown?.go());
    document.getElementById("main").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!go.hidden && !go.disabled) this.#shown?.go();
    });
    for (const root of document.querySelectorAll("[data-component]")) {
      const { component } = root.dataset;
      this.#parts.set(component, new COMPONENTS[component](root, this.#context));
    }
  }

  /** Whether this step is one of a study's. */
  static has(step) {
    return step in NAMES;
  }

  /** Shows the component of the step, and puts the words of this moment above it. */
  show(step, { material, moved }) {
    const root = document.querySelector(`[data-component][data-step~="${step}"]`);
    const part = root ? this.#parts.get(root.dataset.component) : null;
    if (part !== this.#shown || step !== this.#step) {
      this.#shown?.leave?.();
      this.#shown = part;
      this.#step = step;
      this.#button(null);
      this.#count(0, 0, "");
      part?.enter(this.#whole(step, material));
    } else {
      part?.update(this.#whole(step, material));
    }
    const line = document.getElementById("moved");
    line.hidden = !moved;
    document.getElementById("at").textContent = NAMES[step](material ?? {});
  }

  /** None of the study's steps is shown. */
  hide() {
    this.#shown?.leave?.();
    this.#shown = this.#step = null;
    this.#button(null);
    this.#count(0, 0, "");
    document.getElementById("moved").hidden = true;
  }

  changed() {
    this.#shown?.changed?.();
  }

  /** The server did not take an event: the component has what was in it. */
  refused(record, message) {
    this.#shown?.refused?.(record, message);
  }

  /** The questionnaire's statements come with the page, in the reader's language. */
  #whole(step, material) {
    return step === "prior_knowledge" ? { ...material, kind: "questionnaire", pages: this.#context.questionnaire } : material;
  }

  #button(shape) {
    const go = document.getElementById("go");
    go.hidden = !shape;
    if (!shape) return;
    go.disabled = Boolean(shape.disabled);
    go.setAttribute("aria-busy", String(Boolean(shape.busy)));
    go.querySelector("span").textContent = shape.label;
    go.querySelector("use").setAttribute("href", `#i-${shape.icon ?? "right"}`);
  }

  #count(now, of, text) {
    const place = document.getElementById("count");
    place.hidden = !of;
    if (!of) return;
    place.querySelector("span").textContent = text;
    const marks = place.querySelector(".steps");
    marks.replaceChildren(
      ...Array.from({ length: of > 5 ? 0 : of }, (_, at) => {
        const mark = document.createElement("i");
        if (at + 1 < now) mark.className = "done";
        if (at + 1 === now) mark.className = "now";
        return mark;
      }),
    );
  }

  #busy() {
    this.#button({ label: gettext("Sending"), icon: "sync", disabled: true, busy: true });
  }
}
