/**
 * The content: segments one after the other, with pauses where the condition has them. What the student does (play, pause, back,
 * speed, captions) is told as facts with the device's clock; the server measures from them. The server also says where the next pause
 * is; that a place was reached is an action, and the page waits at a pause until the server has answered.
 */

import { duration } from "./clock.js";
import { fill, gettext } from "./text.js";
import { MediaStage, TextStage, paced, sentences } from "./way_stage.js";

const LOOK_EVERY = 250;
const TELL_EVERY = 15;
const BACK = 10;
const NEAR = 0.2;

export class Player {
  #root;
  #page;
  #material = null;
  #segment = null;
  #stage = null;
  #format = null;
  #speed = 1;
  #captions = false;
  #cues = [];
  #told = 0;
  #waitsAt = null;
  #timer = 0;

  constructor(root, page) {
    this.#root = root;
    this.#page = page;
    const find = (id) => document.getElementById(id);
    find("play").addEventListener("click", () => this.#toggle());
    find("rewind").addEventListener("click", () => this.#back());
    find("speed").addEventListener("change", ({ target }) => this.#setSpeed(Number(target.value)));
    find("captions-on").addEventListener("click", () => this.#setCaptions(!this.#captions));
    find("read-instead").addEventListener("click", () => this.#choose("text"));
    root.querySelector("#content-formats").addEventListener("click", ({ target }) => {
      const format = target.closest("[data-format]")?.dataset.format;
      if (format) this.#choose(format);
    });
    document.addEventListener("visibilitychange", () => this.#hidden());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  async enter(material) {
    this.#material = material;
    this.#waitsAt = null;
    document.getElementById("content-title").textContent = material.title;
    const draft = await this.#page.drafts.get(material.id);
    if (this.#material !== material) return;
    this.#speed = draft?.speed ?? material.speed ?? 1;
    this.#captions = draft?.captions ?? material.captions ?? true;
    document.getElementById("speed").value = String(this.#speed);
    const position = Math.min(Math.max(draft?.position ?? 0, material.position), material.pause_at);
    const format = material.format ?? draft?.format ?? (material.formats.length === 1 ? material.formats[0] : null);
    if (format) this.#choose(format, position);
    else this.#askFormat();
    this.changed();
  }

  update(material) {
    this.#material = material;
    if (this.#waitsAt !== null && material.pause_at > this.#waitsAt + NEAR) {
      const from = this.#waitsAt;
      this.#waitsAt = null;
      this.#load(from);
      this.#play();
    }
    this.changed();
  }

  leave() {
    if (this.#stage?.playing) this.#pause();
    clearInterval(this.#timer);
    this.#stage?.close();
    this.#stage = null;
    document.getElementById("controls").hidden = true;
    document.getElementById("stage").replaceChildren();
  }

  changed() {
    if (!this.#stage) return;
    const waits = this.#waitsAt !== null;
    for (const id of ["play", "rewind", "speed"]) document.getElementById(id).disabled = waits;
    if (!waits) return;
    const text = this.#page.isOpen()
      ? gettext("One moment.")
      : gettext("No connection at the moment. What you did is kept on this device, and it goes on when the connection is back.");
    document.getElementById("segment-title").textContent = text;
  }

  go() {
    this.#toggle();
  }

  get #position() {
    return this.#segment.start + this.#stage.time;
  }

  #askFormat() {
    const choice = this.#root.querySelector("#content-formats");
    for (const button of choice.querySelectorAll("[data-format]")) button.hidden = !this.#material.formats.includes(button.dataset.format);
    choice.hidden = false;
    this.#root.querySelector("#content-player").hidden = true;
    document.getElementById("controls").hidden = true;
  }

  #choose(format, position = this.#segment ? this.#position : this.#material.position) {
    if (this.#format && this.#stage?.playing) this.#pause();
    this.#format = format;
    this.#root.querySelector("#content-formats").hidden = true;
    this.#root.querySelector("#content-player").hidden = false;
    document.getElementById("media-failed").hidden = true;
    document.getElementById("controls").hidden = false;
    if (this.#material.format !== format) {
      this.#page.send("content_begun", { format, speed: this.#speed, captions: this.#captions });
    }
    this.#load(position);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
    this.#keep();
  }

  #load(position) {
    const { segments } = this.#material;
    const at = segments.findLastIndex(({ start }) => position >= start - NEAR / 2);
    const segment = segments[Math.max(0, at)];
    this.#stage?.close();
    this.#segment = segment;
    const kind = this.#format === "text" || !segment.media ? "text" : this.#format;
    const root = document.getElementById("stage");
    const on = { change: () => this.#draw(), fail: () => this.#failed() };
    this.#stage = kind === "text" ? new TextStage(root, segment) : new MediaStage(root, kind, segment, on);
    this.#stage.rate = this.#speed;
    this.#stage.time = Math.max(0, position - segment.start);
    this.#cues = this.#cuesOf(segment);
    document.getElementById("captions-on").hidden = kind === "text";
    this.#setCaptions(this.#captions, { tell: false });
    document.getElementById("segment-title").textContent = fill(gettext("Part %(n)s of %(of)s: %(title)s"), {
      n: segment.number, of: segments.length, title: segment.title,
    });
    this.#draw();
  }

  #cuesOf({ cues, text, seconds }) {
    if (cues?.length) return cues;
    const parts = sentences(text.replace(/\s+/g, " "));
    return paced(parts, seconds).map((from, at) => ({ from, text: parts[at] }));
  }

  #toggle() {
    if (this.#stage.playing) this.#pause();
    else this.#play();
  }

  async #play() {
    try {
      await this.#stage.play();
    } catch (error) {
      if (error.name === "NotAllowedError") return this.#draw(); // the browser wants a press first
      if (error.name === "AbortError") return undefined;
      return this.#failed();
    }
    this.#tell("play");
    this.#draw();
    return undefined;
  }

  #pause() {
    this.#stage.pause();
    this.#tell("pause");
    this.#draw();
  }

  #back() {
    const from = this.#position;
    const to = Math.max(0, from - BACK);
    const wasPlaying = this.#stage.playing;
    if (to < this.#segment.start) {
      if (wasPlaying) this.#stage.pause();
      this.#tell("rewind", { position: from, to });
      this.#load(to);
      if (wasPlaying) this.#play();
    } else {
      this.#tell("rewind", { position: from, to });
      this.#stage.time = to - this.#segment.start;
    }
    this.#draw();
  }

  #setSpeed(speed) {
    this.#speed = speed;
    this.#stage.rate = speed;
    this.#tell("speed");
    this.#keep();
  }

  #setCaptions(shown, { tell = true } = {}) {
    this.#captions = shown;
    const button = document.getElementById("captions-on");
    button.setAttribute("aria-pressed", String(shown));
    document.getElementById("captions").hidden = !shown || button.hidden;
    if (tell) {
      this.#tell("captions");
      this.#keep();
    }
    this.#drawCaption();
  }

  /** A text does not go on unread; a sound may be heard with another page in front, and that is measured. */
  #hidden() {
    if (document.visibilityState === "hidden" && this.#stage instanceof TextStage && this.#stage.playing) this.#pause();
  }

  #key(event) {
    if (!this.#stage || event.target.closest("input, textarea, select, button, dialog, summary")) return;
    if (event.key === " ") this.#toggle();
    else if (event.key === "ArrowLeft") this.#back();
    else return;
    event.preventDefault();
  }

  /** Looked at often: is a pause due, is the segment over, is it time to say where we are? */
  #look() {
    if (!this.#stage || this.#waitsAt !== null) return;
    this.#draw();
    if (!this.#stage.playing && this.#stage.time < this.#stage.duration) return;
    const position = this.#position;
    const { pause_at: pauseAt, total } = this.#material;
    const end = this.#segment.start + this.#segment.seconds;
    if (position >= pauseAt - NEAR || position >= total - NEAR) this.#reach(Math.min(pauseAt, total), { waits: true });
    else if (position >= end - NEAR) {
      this.#reach(end, { waits: false });
      this.#load(end);
      this.#play();
    } else if (this.#stage.playing && performance.now() - this.#told > TELL_EVERY * 1000) this.#tell("tick");
  }

  #reach(position, { waits }) {
    if (this.#stage.playing) this.#stage.pause();
    this.#tell("pause", { position });
    this.#page.send("content_reached", { segment: this.#segment.number, position });
    if (waits) this.#waitsAt = position;
    this.changed();
  }

  #failed() {
    const line = document.getElementById("media-failed");
    line.querySelector("span").textContent = gettext("The sound or film cannot be played on this device.");
    line.hidden = false;
    this.#draw();
  }

  #tell(did, { position = this.#position, to = null } = {}) {
    this.#told = performance.now();
    const round = (seconds) => Math.round(seconds * 10) / 10;
    const fact = { did, segment: this.#segment.number, position: round(position), speed: this.#speed };
    if (to !== null) fact.to = round(to);
    if (did === "captions") fact.captions = this.#captions;
    this.#page.send("playback", fact);
    this.#keep();
  }

  #keep() {
    if (!this.#material) return;
    const position = this.#segment && this.#stage ? this.#position : this.#material.position;
    this.#page.drafts.keep(this.#material.id, { position, format: this.#format, speed: this.#speed, captions: this.#captions });
  }

  #draw() {
    if (!this.#stage) return;
    const { playing } = this.#stage;
    const button = document.getElementById("play");
    if (button.getAttribute("aria-pressed") !== String(playing)) {
      button.setAttribute("aria-pressed", String(playing));
      button.querySelector("use").setAttribute("href", playing ? "#i-pause" : "#i-play");
      button.querySelector("span").textContent = playing ? gettext("Pause") : gettext("Play");
    }
    const { total } = this.#material;
    const position = Math.min(total, this.#position);
    const played = document.getElementById("played");
    played.max = total;
    played.value = position;
    document.getElementById("time-now").textContent = duration(position * 1000);
    document.getElementById("time-all").textContent = duration(total * 1000);
    this.#stage.draw();
    this.#drawCaption();
  }

  #drawCaption() {
    const line = document.getElementById("captions");
    if (line.hidden || !this.#stage) return;
    const { time } = this.#stage;
    const cue = this.#cues.findLast(({ from, until }) => from <= time && (until === undefined || time < until));
    const text = cue?.text ?? "";
    if (line.textContent !== text) line.textContent = text;
  }
}
