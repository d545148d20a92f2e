/**
 * The student's microphone: WebM/Opus by MediaRecorder, or samples by an AudioWorklet where the browser cannot record WebM.
 *
 * A recording is a stream of chunks, numbered from 0; after a pause, or with another microphone, a new stream begins. The level is
 * measured all the while, and what goes wrong is told in one word:
 *   refused (not allowed)  missing (none there)  busy (another program has it)  unsupported  lost (unplugged)  silent (nothing but quiet)
 */

const SLICE = 250;
const BITS = 32_000;
const WEBM = "audio/webm;codecs=opus";
const LEVEL_EVERY = 80;
const SILENT_BELOW = 0.004; // of full scale, root mean square: a muted microphone, not a quiet room
const SILENT_FOR = 6_000;
const WORDS = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing", OverconstrainedError: "missing", NotReadableError: "busy", AbortError: "busy" };

export class Microphone {
  #on;
  #worklet;
  #media = null;
  #context = null;
  #recorder = null;
  #meter = 0;
  #quietSince = null;

  /**
   * `onSound`: after nothing but quiet, there is a sound.
   * @param {{onChunk: (number: number, data: ArrayBuffer) => void, onStop: (chunks: number) => void, onLevel: (level: number) => void,
   *          onTrouble: (word: string) => void, onSound: () => void}} on
   * @param {string} worklet address of js/pcm_worklet.js
   */
  constructor(on, worklet) {
    this.#on = on;
    this.#worklet = worklet;
  }

  get isOn() {
    return this.#recorder !== null;
  }

  /** Asks for the microphone and begins a recording. @returns {Promise<boolean>} whether it records */
  async start() {
    if (this.isOn) return true;
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioContext) return this.#fail("unsupported");
    try {
      this.#media = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      return this.#fail(WORDS[error.name] ?? "unsupported");
    }
    const [track] = this.#media.getAudioTracks();
    track.addEventListener("ended", () => {
      this.#on.onTrouble("lost");
      this.stop();
    });
    this.#context = new AudioContext();
    await this.#context.resume();
    this.#measure();
    this.#recorder = await this.#record();
    return this.#recorder !== null || this.#fail("unsupported");
  }

  /** Ends the recording; `onStop` is told how many chunks there were when the last one is out. */
  async stop() {
    const recorder = this.#recorder;
    this.#recorder = null;
    clearInterval(this.#meter);
    await recorder?.stop();
    for (const track of this.#media?.getTracks() ?? []) track.stop();
    await this.#context?.close();
    this.#media = this.#context = null;
    this.#on.onLevel(0);
  }

  /** Nothing is recorded while `work` is under way, such as while a help is spoken. */
  async hold(work) {
    this.#recorder?.pause();
    try {
      await work();
    } finally {
      this.#recorder?.resume();
    }
  }

  #fail(word) {
    for (const track of this.#media?.getTracks() ?? []) track.stop();
    this.#media = null;
    this.#on.onTrouble(word);
    return false;
  }

  async #record() {
    if (window.MediaRecorder?.isTypeSupported(WEBM)) return new WebmRecorder(this.#media, this.#on);
    if (!this.#context.audioWorklet) return null;
    await this.#context.audioWorklet.addModule(this.#worklet);
    return new SampleRecorder(this.#context, this.#media, this.#on);
  }

  #measure() {
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(this.#media).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#quietSince = performance.now();
    this.#meter = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const level = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      this.#on.onLevel(level);
      this.#watch(level);
    }, LEVEL_EVERY);
  }

  #watch(level) {
    const now = performance.now();
    if (level > SILENT_BELOW) {
      if (this.#quietSince === null) this.#on.onSound();
      this.#quietSince = now;
    } else if (this.#quietSince !== null && now - this.#quietSince > SILENT_FOR) {
      this.#quietSince = null; // said once, until there is a sound again
      this.#on.onTrouble("silent");
    }
  }
}

class WebmRecorder {
  #recorder;
  #on;
  #chunks = 0;
  #last = Promise.resolve();

  constructor(media, on) {
    this.#on = on;
    this.#recorder = new MediaRecorder(media, { mimeType: WEBM, audioBitsPerSecond: BITS });
    this.#recorder.ondataavailable = ({ data }) => {
      if (!data.size) return;
      // One after the other: reading a blob takes a moment, and the chunks have an order.
      this.#last = this.#last.then(async () => this.#on.onChunk(this.#chunks++, await data.arrayBuffer()));
    };
    this.#recorder.start(SLICE);
  }

  pause() {
    if (this.#recorder.state === "recording") this.#recorder.pause();
  }

  resume() {
    if (this.#recorder.state === "paused") this.#recorder.resume();
  }

  async stop() {
    if (this.#recorder.state !== "inactive") {
      await new Promise((resolve) => {
        this.#recorder.onstop = resolve;
        this.#recorder.stop();
      });
    }
    await this.#last;
    this.#on.onStop(this.#chunks);
  }
}

/** 16 kHz, mono, 16 bit; the first chunk begins with the header of a WAV file, which says so. */
class SampleRecorder {
  #node;
  #source;
  #on;
  #chunks = 0;
  #paused = false;

  constructor(context, media, on) {
    this.#on = on;
    this.#source = context.createMediaStreamSource(media);
    this.#node = new AudioWorkletNode(context, "pcm", { numberOfOutputs: 0 });
    this.#node.port.onmessage = ({ data }) => {
      if (this.#paused) return;
      const chunk = this.#chunks === 0 ? withHeader(data) : data;
      this.#on.onChunk(this.#chunks++, chunk);
    };
    this.#source.connect(this.#node);
  }

  pause() {
    this.#paused = true;
  }

  resume() {
    this.#paused = false;
  }

  async stop() {
    this.#source.disconnect();
    this.#node.port.onmessage = null;
    this.#on.onStop(this.#chunks);
  }
}

function withHeader(samples) {
  const rate = 16_000;
  const made = new ArrayBuffer(44 + samples.byteLength);
  const view = new DataView(made);
  const text = (at, word) => [...word].forEach((letter, n) => view.setUint8(at + n, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 0xffffffff, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 0xffffffff, true);
  new Uint8Array(made, 44).set(new Uint8Array(samples));
  return made;
}
