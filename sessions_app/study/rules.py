"""Questions by rules: offline, the same for the same answers, and different for different ones.

The first question opens the part that was just learned: on site from what is to be seen there, later in the run from
what the student named before. The second takes up what the answer named: it asks for the reason where none was given,
for evidence where one was, and for what would be different where both were; an answer that says nothing gets a foothold
instead. The third asks to put together what was named. What is quoted of an answer are words of the content, or the
student's own, in quotation marks.
"""

import re
import time
import zlib
from collections.abc import Sequence
from typing import Final

from sessions_app.study import words
from sessions_app.study.questioner import LONGEST_QUESTION, Context, Question, Said

VERSION: Final = "rules-1"

_REASON: Final = re.compile(
    r"\b(?:because|since|so that|therefore|due to|as a result|which meant|in order to|led to|that is why|that's why)\b",
    re.IGNORECASE,
)
_EVIDENCE: Final = re.compile(
    r"\b(?:for example|for instance|such as|it said|the text|according to|i can see|you can see|we can see|shows|"
    r"1[5-9]\d\d|20\d\d|\d+ (?:men|people|workers|cannons|miles|feet|tons|percent))\b",
    re.IGNORECASE,
)
_LOST: Final = re.compile(
    r"\b(?:i ?(?:don'?t|do not) know|idk|dunno|no idea|not sure|nothing|no clue)\b", re.IGNORECASE
)
_BREAKS: Final = frozenset(
    (
        "is", "are", "was", "were", "be", "been", "being", "has", "have", "had", "do", "does", "did", "make", "made",
        "makes", "use", "uses", "help", "helps", "need", "needs", "get", "got", "give", "gave", "given", "go", "went",
        "come", "came", "bring", "brought", "let", "put", "take", "took", "see", "saw", "seen", "look", "looks",
        "become", "became", "know", "known", "think", "thought", "can", "could", "may", "might", "must", "will",
        "would", "should", "allow", "mean", "means", "meant", "built", "bought", "sold", "kept", "told", "cut", "cuts",
        "led", "left", "ran", "run", "runs", "stood", "stand", "stands", "fell", "fall", "falls", "held", "hold",
        "holds", "paid", "pays", "met", "meets", "lie", "lies", "lay", "grew", "grow", "grows", "rose", "began",
        "begun", "lost", "won", "said", "says", "wrote", "felt", "found", "sent", "spent", "taught", "drove", "drives",
        "turn", "turns", "cross", "crosses", "cast", "casts", "spread", "broke", "burn", "burns", "earn", "earns",
        "want", "wants", "work", "works", "move", "moves", "because", "since", "so", "that", "which", "who", "where",
        "when", "while", "there", "their", "they", "them", "it", "its",
    )
)  # fmt: skip
_LONGEST_NAME: Final = 3
_LONGEST_QUOTE: Final = 9


class Rules:
    """The rule set `VERSION`."""

    def ask(self, context: Context) -> Question:
        began = time.perf_counter()
        if not context.before:
            text, builds, place = _opening(context)
        elif context.is_last:
            text, builds, place = _synthesis(context)
        else:
            text, builds, place = _probe(context)
        return Question(
            text=text[:LONGEST_QUESTION],
            author="rules",
            version=VERSION,
            builds_on_previous=builds,
            synthesis=context.is_last,
            uses_place=place,
            generation_ms=round((time.perf_counter() - began) * 1000, 3),
        )


_Asked = tuple[str, bool, bool]
"""The question, whether it builds on an answer, whether it uses the place."""


def _opening(context: Context) -> _Asked:
    earlier = _named(context, context.earlier[-1:]) or _named(context, context.earlier)
    part = context.segment_title
    if context.place and earlier:
        text = (
            f"Before this part you spoke of “{earlier}”. Look around you at {context.place}: what do you see here that "
            f"connects it with “{part}”?"
        )
        return text, True, True
    if context.place:
        return (
            f"Look around you at {context.place}. What do you see that fits what you just learned, “{part}”?",
            False,
            True,
        )
    if earlier:
        return f"Before this part you spoke of “{earlier}”. What does “{part}” add to that?", True, False
    return f"What in this part, “{part}”, seems most important to you, and why?", False, False


def _probe(context: Context) -> _Asked:
    said = context.before[-1]
    answer = said.answer
    thing = _named(context, [said])
    reason = _reason(answer)
    if _says_nothing(answer) and not thing:
        hold = _foothold(context)
        return f"That is all right. This part told of “{hold}”. What might have been the reason for that?", False, False
    if answer.rstrip().endswith("?"):
        return f"You ask: “{_quote(answer)}” What in this part could help to answer it?", True, False
    if not thing:
        hold = _foothold(context)
        return f"You write “{_quote(answer)}”. How does that go together with “{hold}”?", True, False
    if reason and _EVIDENCE.search(answer):
        return _one_of(
            answer,
            f"You back up what you say about “{thing}”. What would have been different without it?",
            f"You give evidence on “{thing}”. Who gained from it, and who paid for it?",
        )
    if reason:
        return _one_of(
            answer,
            f"You explain “{thing}” by this: “{reason}”. Which detail of the part supports that?",
            f"Your reason concerning “{thing}” is “{reason}”. How could somebody check whether that is so?",
        )
    return _one_of(
        answer,
        f"You mention “{thing}”. Why did it matter?",
        f"You name “{thing}”. What was it good for, and what depended on it?",
    )


def _synthesis(context: Context) -> _Asked:
    first = _named(context, context.before[:1])
    second = _named(context, context.before[1:], but=first)
    here = f"Standing at {context.place}: " if context.place else ""
    builds = bool(first or second)
    if first and second:
        text = f"you have named “{first}” and “{second}”. How do the two together explain what this part is about?"
    elif first or second:
        hold = _foothold(context, but=first or second)
        text = f"put together “{first or second}”, which you named, and “{hold}”. What do the two explain between them?"
    else:
        hold = _foothold(context)
        text = (
            f"think of this part as a whole, and of “{hold}”. Which two reasons does it give, and how do they connect?"
        )
    text = here + text if here else text[0].upper() + text[1:]
    return text, builds, bool(here)


def _one_of(answer: str, *texts: str) -> _Asked:
    """One wording of several: which one depends on the answer alone."""
    return texts[zlib.crc32(answer.encode()) % len(texts)], True, False


def _says_nothing(answer: str) -> bool:
    telling = words.telling(words.tokens(answer))
    return len(telling) < 2 or (bool(_LOST.search(answer)) and len(telling) < 6)


def _reason(answer: str) -> str:
    """What an answer gives as its reason, in the student's words; empty where it gives none."""
    for sentence in words.sentences(answer):
        found = _REASON.search(sentence)
        if found and words.telling(words.tokens(sentence[found.end() :])):
            return _quote(sentence[found.end() :].strip(" ,"))
    return ""


def _quote(text: str) -> str:
    parts = text.split()
    return " ".join(parts[:_LONGEST_QUOTE]) + (" …" if len(parts) > _LONGEST_QUOTE else "")


def _named(context: Context, said: Sequence[Said], *, but: str = "") -> str:
    """What answers named, in the student's words: of all short runs of telling words the one that says most.

    Words of the content count most, words that the question had already brought count nothing, nor do those of `but`.
    """
    known = words.vocabulary(context.segment_text, context.segment_summary, context.segment_title)
    best, most = "", 0.0
    for exchange in said:
        given = words.vocabulary(exchange.question) | words.vocabulary(but)
        for run in _runs(exchange.answer):
            stems = [words.stem(word.lower()) for word in run]
            weight = sum(0.0 if stem in given else 3.0 if stem in known else 0.8 for stem in stems) - 0.2 * len(run)
            if weight > most and any(stem not in given for stem in stems):
                best, most = " ".join(run), weight
    return best if most >= 1.0 else ""


def _runs(text: str) -> list[list[str]]:
    """Runs of up to three telling words that stand together, as they are written."""
    found: list[list[str]] = []
    for sentence in words.sentences(text):
        run: list[str] = []
        for word in [*re.findall(r"[^\W_]+(?:['’-][^\W_]+)*|,", sentence), ","]:
            low = word.lower()
            if _is_name_like(low) and words.telling([low]):
                run.append(word)
                continue
            if run:
                found.extend(
                    run[i : i + size] for size in range(1, _LONGEST_NAME + 1) for i in range(len(run) - size + 1)
                )
            run = []
    return found


def _is_name_like(word: str) -> bool:
    """Whether a word may be part of what something is called: no verb that is known as one, no number, no comma."""
    return word[0].isalpha() and word not in _BREAKS and not word.endswith(("ed", "ing"))


def _foothold(context: Context, *, but: str = "") -> str:
    """Something of the part to hold on to that the student has not named: a stretch of its summary."""
    named = words.vocabulary(but, *(said.answer for said in context.before))
    stretches = [part.strip() for part in re.split(r"[,;:.]| and ", context.segment_summary) if part.strip()]
    fresh = sorted(stretches, key=lambda part: (len(words.vocabulary(part) & named), -len(words.vocabulary(part))))
    return fresh[0] if fresh else context.segment_title
