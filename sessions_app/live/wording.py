"""How a help is worded: by the assistant that the settings chose."""

from sessions_app.live.following import Follower
from sessions_app.reading.moments import NewHelp


async def wording(follower: Follower, index: int, reason: str, at: float) -> NewHelp | None:
    """A help for the word `index`: the word, its parts, and its sentence."""
    word = follower.written(index)
    sentence = follower.sentence(index)
    return NewHelp(
        index=index, word=word, reason=reason, at=at, text=sentence, parts="", author="rules", voice="browser",
        latency_ms=0,
    )  # fmt: skip
