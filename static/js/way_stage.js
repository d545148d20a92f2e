/**
 * What the player plays a segment on: a text at a reading pace, or a sound or film. Both have the same face:
 *
 *   time (seconds), rate, playing, duration; play() (a promise), pause(), close()
 *
 * and call `on.change()` when playing began or ended by itself, `on.fail()` when the sound or film cannot be played.
 */

const language = document.documentElement.lang || "en";

/** The sentences of a paragraph. @param {string} text @returns {string[]} */
export function sentences(text) {
  if (Intl.Segmenter) {
    return [...new Intl.Segmenter(language, { granularity: "sentence" }).segment(text)].map(({ segment }) => segment);
  }
  return text.match(/[^.!?]+[.!?]*["”’)]*\s*/g) ?? [text];
}

/**
 * When each sentence is read, where nothing else says so: the duration is shared out by length.
 * @param {string[]} parts @param {number} duration seconds @returns {number[]} where each begins
 */
export function paced(parts, duration) {
  const whole = parts.reduce((sum, part) => sum + part.length, 0) || 1;
  let before = 0;
  return parts.map((part) => {
    const at = (before / whole) * duration;
    before += part.length;
    return at;
  });
}

export class TextStage {
  playing = false;
  #rate = 1;
  #time = 0;
  #since = 0;
  #marks = [];
  #begins = [];
  #now = -1;

  constructor(root, { text, seconds }) {
    this.duration = seconds;
    const passage = document.createElement("div");
    passage.className = "passage";
    const all = [];
    for (const paragraph of text.split(/\n\s*\n/)) {
      const p = document.createElement("p");
      for (const sentence of sentences(paragraph.trim())) {
        const mark = document.createElement("span");
        mark.textContent = sentence;
        p.append(mark);
        this.#marks.push(mark);
        all.push(sentence);
      }
      passage.append(p);
    }
    this.#begins = paced(all, seconds);
    root.replaceChildren(passage);
  }

  get time() {
    const run = this.playing ? ((performance.now() - this.#since) / 1000) * this.#rate : 0;
    return Math.min(this.duration, this.#time + run);
  }

  set time(seconds) {
    this.#time = seconds;
    this.#since = performance.now();
    this.draw(true);
  }

  get rate() {
    return this.#rate;
  }

  set rate(rate) {
    this.#time = this.time;
    this.#since = performance.now();
    this.#rate = rate;
  }

  async play() {
    this.#since = performance.now();
    this.playing = true;
  }

  pause() {
    this.#time = this.time;
    this.playing = false;
  }

  close() {
    this.pause();
  }

  /** Marks the sentence that is being read, and keeps it in sight. */
  draw(always = false) {
    const { time } = this;
    const now = this.#begins.findLastIndex((at) => at <= time + 0.01);
    if (now === this.#now && !always) return;
    this.#now = now;
    this.#marks.forEach((mark, at) => (mark.className = at < now ? "read" : at === now ? "now" : ""));
    const mark = this.#marks[now];
    if (!mark || !this.playing) return;
    const { top, bottom } = mark.getBoundingClientRect();
    if (top < innerHeight * 0.15 || bottom > innerHeight * 0.6) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      mark.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
    }
  }
}

export class MediaStage {
  #media;
  #on;

  /** @param {"audio"|"video"} kind */
  constructor(root, kind, { media, seconds }, on) {
    this.#on = on;
    this.#media = document.createElement(kind);
    this.#media.preload = "auto";
    this.#media.playsInline = true;
    this.#media.src = media;
    this.duration = seconds;
    for (const happened of ["play", "pause", "ended"]) this.#media.addEventListener(happened, () => this.#on.change());
    this.#media.addEventListener("error", () => this.#on.fail());
    root.replaceChildren(this.#media);
  }

  get playing() {
    return !this.#media.paused && !this.#media.ended;
  }

  get time() {
    return this.#media.ended ? this.duration : Math.min(this.duration, this.#media.currentTime);
  }

  set time(seconds) {
    this.#media.currentTime = seconds;
  }

  get rate() {
    return this.#media.playbackRate;
  }

  set rate(rate) {
    this.#media.playbackRate = rate;
  }

  play() {
    return this.#media.play();
  }

  pause() {
    this.#media.pause();
  }

  close() {
    this.#on = { change() {}, fail() {} };
    this.#media.pause();
    this.#media.removeAttribute("src");
    this.#media.load();
  }

  draw() {}
}
