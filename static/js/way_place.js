/**
 * The place, by the browser's geolocation. What the browser answers goes to the server, whatever it is: the record says what
 * happened, and the student can always go on.
 */

import { fill, gettext } from "./text.js";

const OUTCOME = { 1: "denied", 2: "unavailable", 3: "timeout" };
const PATIENCE = 20_000;

export class Place {
  #root;
  #page;
  #material = null;
  #measuring = false;
  #last = null;
  #goesOn = false;

  constructor(root, page) {
    this.#root = root;
    this.#page = page;
    root.querySelector("#place-without").addEventListener("click", () => this.#goOn());
  }

  enter(material) {
    this.#measuring = false;
    this.#last = null;
    this.#goesOn = false;
    this.update(material);
  }

  update(material) {
    this.#material = material;
    const { name, outcome } = material;
    this.#root.querySelector("#place-lede").textContent = name
      ? fill(gettext("This part of the study takes place at %(name)s. May we check that you are there?"), { name })
      : gettext("The study compares places. May we check where you are?");
    this.#root.querySelector("#place-outside").textContent = name
      ? fill(gettext("It looks as if you are not at %(name)s."), { name })
      : gettext("It looks as if you are somewhere else.");
    if (outcome) this.#last = outcome;
    this.changed();
  }

  changed() {
    const sending = this.#goesOn || this.#page.waiting("place").length > 0;
    const shown = this.#measuring ? "measuring" : (this.#last ?? "ask");
    for (const part of this.#root.querySelectorAll("[data-place]")) part.hidden = part.dataset.place !== shown;
    this.#root.querySelector("#place-without").hidden = this.#measuring || sending;
    if (this.#measuring || sending) this.#page.busy();
    else if (this.#last === "unsupported") this.#page.button(null);
    else this.#page.button({ label: this.#last ? gettext("Try again") : gettext("Check the place"), icon: "check" });
  }

  go() {
    if (!navigator.geolocation) return this.#tell({ outcome: "unsupported" });
    this.#measuring = true;
    this.changed();
    navigator.geolocation.getCurrentPosition(
      ({ coords }) =>
        this.#tell({
          outcome: "position", latitude: coords.latitude, longitude: coords.longitude, accuracy: Math.max(0, coords.accuracy),
        }),
      ({ code }) => this.#tell({ outcome: OUTCOME[code] ?? "unavailable" }),
      { enableHighAccuracy: true, timeout: PATIENCE, maximumAge: 0 },
    );
    return undefined;
  }

  #tell(found) {
    this.#measuring = false;
    if (found.outcome !== "position") {
      this.#last = found.outcome;
      this.#page.speak(this.#root.querySelector(`[data-place="${found.outcome}"] .lede`)?.textContent ?? "");
    }
    this.#page.send("place", { ...found, go_on: false, user_agent: navigator.userAgent.slice(0, 400) });
    this.changed();
  }

  refused({ event }) {
    if (event !== "place") return;
    this.#goesOn = false;
    this.changed();
  }

  #goOn() {
    this.#goesOn = true;
    this.#page.send("place", { outcome: "skipped", go_on: true, user_agent: navigator.userAgent.slice(0, 400) });
    this.changed();
  }
}
