/** Speaks a help: by the server's voice where there is one, else by a voice that is on this device (never one of a cloud). */

function deviceVoice(language) {
  const voices = window.speechSynthesis?.getVoices() ?? [];
  return voices.find((voice) => voice.localService && voice.lang.startsWith(language)) ?? null;
}

/** Whether anything can be spoken here. */
export function canSpeak(help, language) {
  return Boolean(help.sound) || Boolean(deviceVoice(language)) || Boolean(window.speechSynthesis);
}

/** @returns {Promise<void>} resolves when it has been said, or could not be */
export async function speak(help, language) {
  if (help.sound && (await play(help.sound))) return;
  const voice = deviceVoice(language);
  if (!voice) return;
  await new Promise((resolve) => {
    const words = new SpeechSynthesisUtterance(`${help.word}. ${help.text}`);
    words.voice = voice;
    words.rate = 0.85;
    words.onend = words.onerror = resolve;
    speechSynthesis.cancel();
    speechSynthesis.speak(words);
  });
}

function play(address) {
  return new Promise((resolve) => {
    const sound = new Audio(address);
    sound.onended = () => resolve(true);
    sound.onerror = () => resolve(false);
    sound.play().catch(() => resolve(false));
  });
}
