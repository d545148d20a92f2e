"""What a student is told whose voice leads nowhere, and when. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

NO_WORDS_AFTER = 15.0  # seconds without a word
NOT_LED_ON_AFTER = 25.0  # seconds with words that lead no further in the passage
SAY_AGAIN_AFTER = 45.0
ODD_OF = 24
"""Heard words, of which fewer than half are the passage's: another text, another language, music. An engine that knows
the passage hears its words in everything, and goes on in it."""


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
    _through: bool = False
    _right: deque[bool] = field(default_factory=lambda: deque(maxlen=ODD_OF))

    def __post_init__(self) -> None:
        self._word = self._led_on = (self.time, self.sound)

    def word_heard(self, *, time: float, sound: float) -> None:
        """A word ended at the second `sound`, and was heard at `time`."""
        self._word = (time, max(sound, self._word[1]))

    def led_on(self, *, time: float, sound: float) -> None:
        """The reader was found to be further in the passage than before."""
        self._led_on = (time, sound)

    def words_settled(self, right: Iterable[bool]) -> None:
        """Words were heard; of each, whether it was the passage's."""
        self._right.extend(right)

    def read_through(self) -> None:
        """The last word of the passage has been read."""
        self._through = True

    def due(self, *, time: float, sound: float, in_passage: bool) -> str:
        """The code of what is to be said now, or nothing. It counts as said."""
        if time - self._said_time < SAY_AGAIN_AFTER:
            return ""
        code = ""
        if self._since(self._word, time, sound) > NO_WORDS_AFTER:
            code = "read_through" if self._through else "no_words_heard"
        elif in_passage and not self._through and self._is_elsewhere(time, sound):
            code = "not_the_passage"
        if code:
            self._said_time, self._said_sound = time, sound
            self._right.clear()
        return code

    def _is_elsewhere(self, time: float, sound: float) -> bool:
        odd = len(self._right) == ODD_OF and sum(self._right) < ODD_OF / 2
        return odd or self._since(self._led_on, time, sound) > NOT_LED_ON_AFTER

    def _since(self, last: tuple[float, float], time: float, sound: float) -> float:
        return min(time - last[0], sound - max(last[1], self._said_sound))
