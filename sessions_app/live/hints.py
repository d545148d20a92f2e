"""What a student is told whose voice leads nowhere, and when. Pure."""

from dataclasses import dataclass

NO_WORDS_AFTER = 15.0  # seconds without a word
NOT_LED_ON_AFTER = 25.0  # seconds with words that lead no further in the passage
SAY_AGAIN_AFTER = 45.0


@dataclass(slots=True)
class Hints:
    """Times are seconds of `time`, as a clock counts them, and of `sound`, as it came in.

    Both must have passed: sound of which an engine was late to hear is not a student's silence.
    """

    time: float
    sound: float
    _said_time: float = float("-inf")
    _said_sound: float = 0.0
    _word: tuple[float, float] = (0.0, 0.0)
    _led_on: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        self._word = self._led_on = (self.time, self.sound)

    def word_heard(self, *, time: float, sound: float) -> None:
        """A word ended at the second `sound`, and was heard at `time`."""
        self._word = (time, max(sound, self._word[1]))

    def led_on(self, *, time: float, sound: float) -> None:
        """The reader was found to be further in the passage than before."""
        self._led_on = (time, sound)

    def due(self, *, time: float, sound: float, in_passage: bool) -> str:
        """The code of what is to be said now, or nothing. It counts as said."""
        if time - self._said_time < SAY_AGAIN_AFTER:
            return ""
        code = ""
        if self._since(self._word, time, sound) > NO_WORDS_AFTER:
            code = "no_words_heard"
        elif in_passage and self._since(self._led_on, time, sound) > NOT_LED_ON_AFTER:
            code = "not_the_passage"
        if code:
            self._said_time, self._said_sound = time, sound
        return code

    def _since(self, last: tuple[float, float], time: float, sound: float) -> float:
        return min(time - last[0], sound - max(last[1], self._said_sound))
