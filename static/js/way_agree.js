/**
 * Assent: the student decides about each purpose. What the family decided stands beside it; a no of either counts.
 */

import { gettext } from "./text.js";

const NO = () => gettext("Your family said no, so this is left out, whatever you choose.");
const FAMILY = { granted: () => gettext("Your family has agreed."), refused: NO, withdrawn: NO };

export class Agreement {
  #root;
  #page;
  #material = null;

  constructor(root, page) {
    this.#root = root;
    this.#page = page;
    root.addEventListener("change", ({ target }) => {
      const purpose = target.closest(".purpose");
      if (purpose) purpose.querySelector(".error").hidden = true;
      this.#onlyListens();
    });
  }

  enter(material) {
    this.#material = material;
    for (const field of this.#root.querySelectorAll(".purpose")) {
      const { decided, family } = material.purposes[field.dataset.purpose];
      const said = field.querySelector("[data-family]");
      said.hidden = !family;
      if (family) said.textContent = FAMILY[family]();
      for (const radio of field.querySelectorAll("input")) radio.checked = radio.value === decided;
    }
    this.#onlyListens();
    this.changed();
  }

  update(material) {
    this.#material = material;
    this.changed();
  }

  changed() {
    if (this.#page.waiting("consent").length) this.#page.busy();
    else this.#page.button({ label: gettext("Go on") });
  }

  /** Who does not take part has nothing else to decide. */
  #onlyListens() {
    const form = this.#root.querySelector("form");
    const no = form.querySelector('[name="participation"]:checked')?.value === "refused";
    for (const field of form.querySelectorAll(".purpose")) field.hidden = no && field.dataset.purpose !== "participation";
  }

  go() {
    const shown = [...this.#root.querySelectorAll("form .purpose:not([hidden])")];
    const open = shown.filter((field) => !field.querySelector(":checked"));
    for (const field of open) field.querySelector(".error").hidden = false;
    if (open.length) return open[0].querySelector("input").focus();
    for (const field of shown) {
      const decision = field.querySelector(":checked").value;
      this.#page.send("consent", { purpose: field.dataset.purpose, decision, version: this.#material.version });
    }
  }
}
