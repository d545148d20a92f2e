/**
 * Reading aloud on the student's page: consent for the voice, the microphone, the passage that follows the voice, help in place.
 *
 * <body data-reading> says where the student is: ask, quiet (no recording), begin, reading, paused, sending, done. The passage is in
 * the template, each word a <span data-w>; the server says how far the voice is.
 */

import { Microphone } from "./microphone.js";
import { SoundOutbox } from "./sound_outbox.js";
import { fill, gettext, ngettext } from "./text.js";
import { canSpeak, speak } from "./voice.js";

const BARS = 14;
const LOUD = 0.35;
const QUIET = 0.015;
const NEAR = 6; // words around the voice in which a line counts as being read
const SIZES = ["", "large", "larger"];
const TROUBLE = {
  refused: () => gettext("The microphone is not allowed. Allow it in the bar of the address, then press start again."),
  missing: () => gettext("There is no microphone. Plug one in, then press start again."),
  busy: () => gettext("Another program uses the microphone. Close it, then press start again."),
  unsupported: () => gettext("This browser cannot record. Use Chrome, Edge or Firefox, or ask your teacher."),
  lost: () => gettext("The microphone is gone. What you read is kept. Plug it in, then go on."),
  silent: () => gettext("Nothing can be heard. Is the microphone covered or muted?"),
};
// What the server says of a reading, and what ends each sentence: words that lead on, or somebody who listens. The others stay until the
// next start.
const UNTIL = {
  no_words_heard: "led_on", not_the_passage: "led_on", listeners_busy: "on", cannot_listen: "on", read_through: "",
  not_webm: "", not_opus: "", too_dense: "", damaged: "", mp4: "", reading_too_long: "",
};

export class ReadingAloud {
  #page;
  #config;
  #sound;
  #microphone;
  #state = null;
  #stage = null;
  #stream = 0;
  #levels = new Array(BARS).fill(0);
  #reached = 0;
  #words;
  #help = null;
  #wake = null;
  #told = { code: "", until: "" };

  /**
   * @param {{send: (event: string, data?: object) => Promise<void>, sendBytes: (bytes: ArrayBuffer) => boolean, waiting: (event: string) => boolean,
   *          say: (text: string, tone: string) => void, changed: () => void}} page
   * @param {{language: string, worklet: string, sounds: string}} config
   */
  static async open(name, page, config) {
    let made = null;
    const sound = await SoundOutbox.open(name, {
      send: (bytes) => Boolean(made?.mayStream) && page.sendBytes(bytes),
      onChange: () => made?.changed(),
    });
    made = new ReadingAloud(page, config, sound);
    return made;
  }

  constructor(page, config, sound) {
    this.#page = page;
    this.#config = config;
    this.#sound = sound;
    this.#words = [...document.querySelectorAll('#passage[data-kind="passage"] [data-w]')]; // prompts are said in any order
    this.#microphone = new Microphone(
      {
        onChunk: (number, data) => this.#sound.add(this.#stream, number, data),
        onStop: (chunks) => this.#recorded(chunks),
        onLevel: (level) => this.#showLevel(level),
        onTrouble: (word) => this.#trouble(word),
        onSound: () => this.#told.code === "silent" && this.#tell(""),
      },
      config.worklet,
    );
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-read]");
      if (button) this.#press(button.dataset.read, button);
    });
    this.#resize(localStorage.getItem("lyceum-text") ?? "");
  }

  /** Chunks go out as soon as the server knows of the reading. */
  get mayStream() {
    return this.#state?.id != null;
  }

  /** Chunks that are not received yet. */
  get size() {
    return this.#sound.size;
  }

  /** @param {object} state the `reading` of a `state` frame  @param {string} step of the page */
  show(state, step) {
    this.#state = state;
    if (this.mayStream) this.#sound.pump();
    if (!this.#reached) this.#follow(state.reached);
    if (step !== "in_session" && this.#microphone.isOn) this.#microphone.stop();
    this.#to(this.#stageOf(state, step));
    this.#showSummary(state.summary);
  }

  frame(frame) {
    if (frame.type === "audio") this.#received(frame);
    else if (frame.type === "audio_missing") this.#sound.missing(frame);
    else if (frame.type === "help") this.#showHelp(frame);
    else if (frame.type === "reading") {
      document.body.dataset.heard = frame.state;
      if (this.#told.until === frame.state || (this.#told.until === "led_on" && frame.reached > this.#reached)) this.#tell("");
      this.#follow(frame.reached);
      this.#showHeard();
    }
  }

  /** A sentence of the server's that belongs to the reading stands with the passage: one at a time. @returns {boolean} whether it is one */
  tells({ code, message }) {
    if (code === "consent_missing" && this.#state?.id) {
      this.#page.say(gettext("Your voice is not recorded any more. What you read until here is kept."), "watch");
      return true;
    }
    if (!(code in UNTIL)) return false;
    if (!(code === "no_words_heard" && this.#told.code === "silent")) this.#tell(message, { code, until: UNTIL[code] });
    return true;
  }

  connected() {
    this.#sound.resume();
  }

  /** Of a stream that the server gave up nothing more is taken: the recording stops, and a new one can begin. */
  async #received(frame) {
    this.#sound.received(frame);
    if (!frame.refused || frame.stream !== this.#stream || !this.#microphone.isOn) return;
    await this.#microphone.stop();
    this.#to("paused");
  }

  changed() {
    if (this.#stage === "sending" && !this.#sound.size && this.#state?.summary) this.#to("done");
    this.#showSending();
    this.#page.changed();
  }

  #stageOf({ consents, state, summary }, step) {
    if (step === "ended") return this.#sound.size ? "sending" : summary ? "done" : state ? "sending" : "none";
    if (step !== "in_session") return "none";
    if (state === "ended") return summary && !this.#sound.size ? "done" : "sending";
    if (consents.audio === null || consents.audio === undefined) return "ask";
    if (!consents.audio) return "quiet";
    if (this.#microphone.isOn) return "reading";
    return this.#stage === "paused" ? "paused" : "begin";
  }

  #to(stage) {
    const before = this.#stage;
    this.#stage = stage;
    document.body.dataset.reading = stage;
    for (const part of document.querySelectorAll("[data-stage]")) {
      part.hidden = !part.dataset.stage.split(" ").includes(stage);
    }
    const again = this.#state?.state === "open";
    for (const part of document.querySelectorAll("[data-again]")) part.hidden = (part.dataset.again === "yes") !== again;
    if (stage !== "reading") this.#sleep();
    this.#showSending();
    if (before && before !== stage) document.querySelector(`main [data-stage~="${stage}"] h1:not(.sr)`)?.focus();
  }

  async #press(what, button) {
    const press = {
      consent: () => this.#decide(button.value),
      start: () => this.#start(),
      pause: () => this.#pause(),
      finish: () => this.#finish(),
      stuck: () => this.#page.send("stuck", { word: this.#reached }),
      size: () => this.#resize(SIZES[(SIZES.indexOf(document.body.dataset.size ?? "") + 1) % SIZES.length]),
      hear: () => this.#hear(),
      dismiss: () => this.#dismiss(),
    }[what];
    await press();
  }

  #decide(decision) {
    const version = this.#state.consent_version;
    const keep = document.getElementById("keep-audio");
    this.#page.send("consent", { purpose: "audio", decision, version });
    if (keep) {
      const kept = decision === "granted" && keep.checked ? "granted" : "refused";
      this.#page.send("consent", { purpose: "keep_audio", decision: kept, version });
    }
  }

  async #start() {
    this.#tell("");
    this.#stream = this.#sound.streamAfter(Math.max(this.#state.next_stream, this.#stream));
    if (!(await this.#microphone.start())) return;
    if (this.#state.state === null && !this.#page.waiting("reading_started")) this.#page.send("reading_started");
    this.#page.send("microphone", { state: "on" });
    this.#to("reading");
    this.#follow(this.#reached);
    this.#wake = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  }

  async #pause() {
    await this.#microphone.stop();
    this.#page.send("microphone", { state: "paused" });
    this.#to("paused");
  }

  async #finish() {
    await this.#microphone.stop();
    this.#page.send("reading_finished");
    this.#to("sending");
  }

  /** A stream is over: its number is spent, also where nothing of it was heard. */
  #recorded(chunks) {
    if (chunks) this.#page.send("recording_stopped", { stream: this.#stream, chunks });
    this.#stream += 1;
  }

  #trouble(word) {
    this.#page.send("microphone", { state: word });
    this.#tell(TROUBLE[word](), { code: word });
    if (word === "silent") return;
    if (this.#stage === "reading") this.#to(word === "lost" ? "paused" : "begin");
  }

  /** Says one sentence in the place for trouble, or takes it away. `until`: what makes it untrue. */
  #tell(text, { code = "", until = "" } = {}) {
    this.#told = { code, until };
    for (const line of document.querySelectorAll("[data-trouble]")) {
      line.hidden = !text;
      line.querySelector("span").textContent = text;
    }
  }

  #sleep() {
    this.#wake?.release();
    this.#wake = null;
  }

  /** Marks the words up to the voice as read, and keeps the voice in sight. */
  #follow(reached) {
    if (!this.#words.length) return;
    this.#reached = reached;
    for (const word of this.#words) {
      const index = Number(word.dataset.w);
      word.classList.toggle("read", index < reached);
      word.classList.toggle("now", index === this.#here(reached));
    }
    const now = this.#words.find((word) => word.classList.contains("now"));
    for (const word of this.#words) word.removeAttribute("aria-current");
    now?.setAttribute("aria-current", "true");
    if (now && this.#stage === "reading") this.#keepInSight(now);
    if (this.#help && reached > this.#help.index + NEAR) this.#putHelpAway();
  }

  /** The place of the next word on the page: two words of a number stand in one place. */
  #here(reached) {
    let here = null;
    for (const word of this.#words) {
      const index = Number(word.dataset.w);
      if (index > reached) break;
      here = index;
    }
    return reached > (here ?? -1) && here === Number(this.#words.at(-1).dataset.w) && reached > here ? null : here;
  }

  #keepInSight(word) {
    const { top, bottom } = word.getBoundingClientRect();
    const room = document.querySelector(".dock").getBoundingClientRect().top;
    if (top > room * 0.15 && bottom < room * 0.65) return;
    const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollBy({ top: top - room * 0.3, behavior: smooth ? "smooth" : "instant" });
  }

  #showHelp(help) {
    this.#putHelpAway();
    const word = this.#words.findLast((each) => Number(each.dataset.w) <= help.index);
    if (!word) return;
    const place = document.getElementById("help-template").content.firstElementChild.cloneNode(true);
    place.querySelector("b").textContent = help.parts || help.word;
    place.querySelector("[data-text]").textContent = help.text;
    place.querySelector('[data-read="hear"]').hidden = !canSpeak(help, this.#config.language);
    word.classList.add("stuck");
    word.after(place);
    this.#help = { ...help, place, word };
    this.#keepInSight(word);
  }

  async #hear() {
    const { help } = this.#help;
    const sound = this.#help.voice === "browser" ? null : `${this.#config.sounds}${help}/sound`;
    this.#page.send("help_played", { help });
    await this.#microphone.hold(() => speak({ ...this.#help, sound }, this.#config.language));
  }

  #dismiss() {
    this.#page.send("help_dismissed", { help: this.#help.help });
    this.#putHelpAway();
  }

  #putHelpAway() {
    this.#help?.place.remove();
    this.#help?.word.classList.remove("stuck");
    this.#help = null;
  }

  #showLevel(level) {
    const meter = document.getElementById("level");
    if (!meter) return;
    this.#levels = [...this.#levels.slice(1), Math.min(1, level / LOUD)];
    meter.querySelectorAll("i").forEach((bar, at) => bar.style.setProperty("--h", Math.round(this.#levels[at] ** 0.6 * 100)));
    const loudest = Math.max(...this.#levels) * LOUD;
    const state = loudest > LOUD * 0.98 ? "loud" : loudest < QUIET ? "quiet" : "ok";
    if (meter.dataset.state !== state) meter.dataset.state = state;
    meter.setAttribute("aria-valuenow", Math.round(Math.min(1, loudest / LOUD) * 100));
    this.#showHeard();
  }

  #showHeard() {
    const line = document.getElementById("heard");
    if (!line) return;
    const heard = document.body.dataset.heard;
    const { state } = document.getElementById("level").dataset;
    const text =
      heard === "waiting" || heard === "unfit"
        ? gettext("It is kept for later")
        : { quiet: gettext("It is quiet"), loud: gettext("Very loud") }[state] ?? gettext("We hear you");
    if (line.textContent !== text) line.textContent = text;
  }

  #showSending() {
    const line = document.getElementById("sending-count");
    if (!line) return;
    const left = this.#sound.size;
    line.textContent = left
      ? fill(ngettext("%(n)s piece of sound is still on this device.", "%(n)s pieces of sound are still on this device.", left), { n: left })
      : gettext("Everything has arrived. The last words are being listened to.");
  }

  /** What was read, kindly: how much and how long, never what was wrong. */
  #showSummary(summary) {
    const line = document.getElementById("summary-line");
    if (!line || !summary) return;
    const minutes = Math.floor(summary.seconds / 60);
    const seconds = String(Math.round(summary.seconds % 60)).padStart(2, "0");
    const words = summary.attempted ?? summary.words;
    const said =
      summary.attempted === null
        ? ngettext("You said %(n)s word in %(time)s minutes.", "You said %(n)s words in %(time)s minutes.", words)
        : ngettext("You read %(n)s word in %(time)s minutes.", "You read %(n)s words in %(time)s minutes.", words);
    line.textContent = fill(said, { n: words, time: `${minutes}:${seconds}` });
  }

  #resize(size) {
    document.body.dataset.size = size;
    try {
      localStorage.setItem("lyceum-text", size);
    } catch {
      // a browser that keeps nothing forgets the size
    }
  }
}
