/**
 * Choosing a row and acting on it: by click, by the arrows or J and K, by the letters on the buttons, by dragging.
 *
 * Letters can be turned off (a setting of this browser), since speech input and screen readers may send them.
 */

const SETTING = "lyceum-board-letters";

export class Chooser {
  #rows;
  #onChoose;
  #chosen = null;

  /** @param {import("./board_rows.js").Rows} rows @param {(student: string|null) => void} onChoose */
  constructor(rows, onChoose) {
    this.#rows = rows;
    this.#onChoose = onChoose;
  }

  /** The chosen student's id, or null. */
  get student() {
    return this.#chosen;
  }

  choose(row) {
    this.#chosen = row?.dataset.student ?? null;
    for (const each of this.#rows.all) {
      const isChosen = each === row;
      each.classList.toggle("sel", isChosen);
      isChosen ? each.setAttribute("aria-current", "true") : each.removeAttribute("aria-current");
      if (row) each.tabIndex = isChosen ? 0 : -1;
    }
    row?.focus({ preventScroll: false });
    this.#onChoose(this.#chosen);
  }

  /** Marks the chosen row again after rows were redrawn. */
  keep() {
    const row = this.#rows.all.find((each) => each.dataset.student === this.#chosen);
    if (this.#chosen && !row) this.choose(null);
  }

  step(by) {
    const rows = this.#rows.all;
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.dataset.student === this.#chosen);
    this.choose(rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : (at + by + rows.length) % rows.length]);
  }

  /** The next row that needs a look, after the chosen one and round again. */
  nextMark() {
    const rows = this.#rows.all;
    const at = rows.findIndex((row) => row.dataset.student === this.#chosen);
    const round = [...rows.slice(at + 1), ...rows.slice(0, at + 1)];
    const marked = round.find((row) => row.dataset.needs);
    if (marked) this.choose(marked);
  }
}

/**
 * @param {Chooser} chooser
 * @param {HTMLInputElement} switchLetters the checkbox that turns letters on and off
 */
export function listenToKeys(chooser, switchLetters) {
  switchLetters.checked = localStorage.getItem(SETTING) !== "off";
  switchLetters.addEventListener("change", () => localStorage.setItem(SETTING, switchLetters.checked ? "on" : "off"));

  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, select, textarea, dialog[open], [contenteditable]");
    if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
    const onRow = event.target.closest(".row");
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (onRow && key === "ArrowDown") chooser.step(1);
    else if (onRow && key === "ArrowUp") chooser.step(-1);
    else if (onRow && (key === "Enter" || key === " ")) chooser.choose(onRow);
    else if (key === "Escape") chooser.choose(null);
    else if (!switchLetters.checked) return;
    else if (key === "j") chooser.step(1);
    else if (key === "k") chooser.step(-1);
    else if (key === "g") chooser.nextMark();
    else if (!pressLetter(key)) return;
    event.preventDefault();
  });
}

function pressLetter(key) {
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`);
  if (!target || target.closest("[hidden]")) return false;
  if (target.matches("select")) target.focus();
  else target.click();
  return true;
}

/**
 * Rows can be dragged onto a group.
 * @param {HTMLElement} place
 * @param {(student: string, group: string) => void} onMove
 */
export function listenToDrags(place, onMove) {
  let dragged = null;
  const groupAt = (event) => event.target.closest?.(".group");
  const unmark = () => place.querySelectorAll(".over").forEach((group) => group.classList.remove("over"));

  place.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".row")?.dataset.student ?? null;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged ?? "");
  });
  place.addEventListener("dragover", (event) => {
    const group = groupAt(event);
    unmark();
    if (!dragged || !group) return;
    event.preventDefault();
    group.classList.add("over");
  });
  place.addEventListener("dragend", () => {
    dragged = null;
    unmark();
  });
  place.addEventListener("drop", (event) => {
    const group = groupAt(event);
    if (!dragged || !group) return;
    event.preventDefault();
    onMove(dragged, group.dataset.group);
  });
}
