/**
 * What every page needs: running clocks, dialogs, messages that can be put away, and figures where there are any.
 */

import { startClocks } from "./clock.js";
import "./dialog.js";

startClocks();

// On a phone the menu scrolls sideways; where one is should be in sight. The page itself stays where it is.
const menu = document.querySelector(".masthead nav");
const here = menu?.querySelector("[aria-current]");
if (here) menu.scrollLeft += here.getBoundingClientRect().right - menu.getBoundingClientRect().right;

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".banner, .toast")?.remove();
  if (event.target.closest("[data-print]")) window.print();
});

if (document.querySelector("[data-figure]")) {
  import("./figure.js").then(({ drawFigures }) => drawFigures());
}
