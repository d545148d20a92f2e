/**
 * What a row of the board says of a student who reads: words a minute over the last stretch, miscues, struggles, and the figures so far.
 * Kept from the events of the timeline; no markup here.
 */

const STRETCH = 15; // seconds of sound over which a rate is taken
const MOST_WPM = 220;

export function newReading() {
  return { samples: [], rate: null, reached: 0, of: null, settled: 0, correct: null, errors: null, words: null };
}

/** Takes one event. @returns {{kind: string}[]} marks for the strip */
export function takeReading(reading, kind, data) {
  if (kind === "struggle" || kind === "stuck") return [{ kind: "stuck" }];
  if (kind !== "words") return [];
  const heard = data.of === null || data.of === undefined ? (data.words ?? data.reached) : data.reached;
  reading.of = data.of ?? null;
  reading.reached = data.reached;
  reading.samples.push({ seconds: data.seconds, heard });
  while (reading.samples.length > 2 && reading.samples[1].seconds < data.seconds - STRETCH) reading.samples.shift();
  const [first] = reading.samples;
  const span = data.seconds - first.seconds;
  if (span >= 3) reading.rate = Math.max(0, Math.min(MOST_WPM, ((heard - first.heard) * 60) / span));
  if (!data.final) return [];
  reading.settled = data.seconds;
  reading.words = data.words;
  reading.correct = data.correct ?? null;
  reading.errors = data.errors ?? null;
  return (data.miscues ?? []).map((miscue) => ({ kind: miscue.counted ? "miss" : "fix" }));
}

/** How much of the passage, in %; null where there is none. */
export function percentRead({ reached, of }) {
  return of ? Math.min(100, (reached / of) * 100) : null;
}

/** Words correct a minute up to the last settled ones; words a minute in free speech; null before ten seconds of sound with words. */
export function rateSoFar({ settled, correct, words }) {
  if (settled < 10 || words === null) return null;
  return ((correct ?? words) * 60) / settled;
}

/** Of the passage's words that were reached, the share without an error, in %. */
export function accuracySoFar({ reached, errors, of }) {
  if (!of || !reached || errors === null) return null;
  return Math.max(0, ((reached - errors) / reached) * 100);
}

/** The height of a rate on the strip, 0 to 1. */
export const heightOf = (rate) => Math.min(1, rate / MOST_WPM);
