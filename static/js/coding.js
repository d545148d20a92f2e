/**
 * The coding desk by keyboard and without reloading: arrows choose a passage, the key of a code gives it to the passage,
 * backspace takes it away. Without this module every chip is a button of a form.
 */

import { post, Refused } from "./request.js";

const passages = [...document.querySelectorAll("[data-passage]")];
const counter = document.querySelector("[data-mine]");

function chosen() {
  return document.activeElement?.closest("[data-passage]") ?? null;
}

function choose(step) {
  const at = passages.indexOf(chosen());
  const next = passages[Math.min(passages.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

async function give(chip) {
  const form = chip.form;
  const chips = [...form.querySelectorAll(".chip")];
  const before = chips.find((each) => each.getAttribute("aria-pressed") === "true");
  const press = (which) => chips.forEach((each) => each.setAttribute("aria-pressed", String(each === which)));
  press(chip);
  try {
    const fields = { passage: form.elements.passage.value, code: chip.value };
    const answer = await post(form.action, fields, form.elements.csrfmiddlewaretoken.value);
    const { mine } = await answer.json();
    if (counter) counter.textContent = mine;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    press(before);
    chip.setCustomValidity(error.message);
    chip.reportValidity();
    chip.setCustomValidity("");
  }
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (!chip) return;
  event.preventDefault();
  give(chip);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose(event.key === "ArrowDown" ? 1 : -1);
    return;
  }
  const chip = chosen()?.querySelector(`.chip[data-key="${CSS.escape(event.key)}"]`);
  if (!chip) return;
  event.preventDefault();
  give(chip);
});
