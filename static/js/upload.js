/**
 * Files that are too large are told before they are sent. The server refuses them in any case.
 */

import { gettext } from "./text.js";

for (const form of document.querySelectorAll("form[data-most-bytes]")) {
  const most = Number(form.dataset.mostBytes);
  form.addEventListener("change", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement) || target.type !== "file") return;
    const large = [...target.files].find((file) => file.size > most);
    target.setCustomValidity(large ? `${large.name}: ${gettext("too large. 20 MB is the most.")}` : "");
    target.reportValidity();
  });
}
