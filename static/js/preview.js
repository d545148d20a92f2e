/**
 * A version of study material as a student sees it, for whoever edits it. The components are those of the student's page; what they
 * would send stays here.
 */

import { Drafts } from "./drafts.js";
import { Way } from "./way.js";

const { step, material } = JSON.parse(document.getElementById("config").textContent);
let shown = material;

function showSections(of) {
  for (const part of document.querySelectorAll("main [data-step]")) part.hidden = !part.dataset.step.split(" ").includes(of);
}

function over() {
  way.hide();
  showSections(null);
  const end = document.getElementById("preview-over");
  end.hidden = false;
  end.querySelector("h1").focus();
}

/** What the server would say to it. */
async function answer(event, data) {
  if (event === "content_begun") shown = { ...shown, format: data.format };
  else if (event === "exchange_answer") {
    const [next, ...later] = shown.later;
    const exchanges = shown.exchanges.map((asked) => (asked.id === data.exchange ? { ...asked, answer: data.text } : asked));
    if (!next) return over();
    shown = { ...shown, exchanges: [...exchanges, next], later };
  } else if (event.endsWith("_submitted") || (event === "content_reached" && data.position >= shown.total - 1)) return over();
  else return undefined;
  way.show(step, { material: shown });
  return undefined;
}

const way = new Way({ send: answer, waiting: () => [], isOpen: () => true, drafts: new Drafts(null), questionnaire: [] });
showSections(step);
way.show(step, { material: shown });
