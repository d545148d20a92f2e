/** Runs beside the page: the microphone's samples at 16 kHz, as 16-bit numbers, in pieces of a quarter of a second. */

const RATE = 16_000;
const PIECE = RATE / 4;

class Pcm extends AudioWorkletProcessor {
  #step = sampleRate / RATE;
  #place = 0;
  #sum = 0;
  #count = 0;
  #piece = new Int16Array(PIECE);
  #filled = 0;

  process([[channel]]) {
    for (const sample of channel ?? []) {
      // The mean of the samples that fall into one of ours: enough of a filter for speech.
      this.#sum += sample;
      this.#count += 1;
      this.#place += 1;
      if (this.#place < this.#step) continue;
      this.#place -= this.#step;
      this.#put(this.#sum / this.#count);
      this.#sum = this.#count = 0;
    }
    return true;
  }

  #put(value) {
    this.#piece[this.#filled++] = Math.max(-1, Math.min(1, value)) * 32_767;
    if (this.#filled < PIECE) return;
    const full = this.#piece.buffer;
    this.port.postMessage(full, [full]);
    this.#piece = new Int16Array(PIECE);
    this.#filled = 0;
  }
}

registerProcessor("pcm", Pcm);
