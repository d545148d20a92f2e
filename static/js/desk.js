/** The miscue desk's keys and sound: A accepts, C corrects, N goes to the next open mark, P plays the word. The page works without. */

const clip = document.getElementById("clip");

function play() {
  if (!clip) return;
  clip.currentTime = 0;
  clip.play();
}

document.addEventListener("click", (event) => event.target.closest("[data-hear]") && play());
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const key = event.key.toLowerCase();
  if (key === "p") return play();
  document.querySelector(`[data-key="${key}"]`)?.click();
  if (key === "c") document.getElementById("to")?.focus();
});
