/**
 * Files that are too large are told before they are sent. The server refuses them in any case.
 */

import { gettext } from "./text.js";

for (const form of document.querySelectorAll("form[data-most-bytes]")) {
  const most = Number(form.dataset.mostBytes);
  form.addEventListener("change", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement) || target.type !== "file") return;
    const bytes = [...target.files].reduce((sum, file) => sum + file.size, 0);
    target.setCustomValidity(bytes > most ? gettext("Too large: 20 MB together is the most. Nothing was sent.") : "");
    target.reportValidity();
  });
}
