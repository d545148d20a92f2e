"""The sentences around what was found, in the language of the sources. Pure.

They carry what the words and counts say and nothing more: every term, number and quote is filled in from the support.
"""

import re
from collections.abc import Sequence
from typing import Final

from analytics_app.qualitative.cues import Kind
from analytics_app.qualitative.text import listed

AND: Final = {"en": "and", "es": "y"}

_INSIGHT: Final[dict[str, dict[str, str]]] = {
    "en": {
        Kind.OBSTACLE: "Around {terms}, something stands in the way in {count} of {of} passages: “{words}”",
        Kind.MEANS: "{Terms} show a way that works, in {count} of {of} passages: “{words}”",
        Kind.WISH: "Behind {terms} there is a wish, in {count} of {of} passages: “{words}”",
        Kind.CHANGE: "{Terms} are told as a change, in {count} of {of} passages: “{words}”",
        Kind.FEELING: "{Terms} carry strong feeling, in {count} of {of} passages: “{words}”",
        Kind.THREAD: "{Terms} are a thread of their own, in {count} passages: “{words}”",
    },
    "es": {
        Kind.OBSTACLE: "En torno a {terms}, algo estorba en {count} de {of} pasajes: «{words}»",
        Kind.MEANS: "{Terms}: un camino que funciona, en {count} de {of} pasajes: «{words}»",
        Kind.WISH: "Detrás de {terms} hay un deseo, en {count} de {of} pasajes: «{words}»",
        Kind.CHANGE: "{Terms}: se cuenta un cambio, en {count} de {of} pasajes: «{words}»",
        Kind.FEELING: "{Terms}: aquí hay sentimientos fuertes, en {count} de {of} pasajes: «{words}»",
        Kind.THREAD: "{Terms}: un hilo propio, en {count} pasajes: «{words}»",
    },
}
_LINK: Final = {
    "en": "{First} and {second} belong together; the one passes into the other: “{words}”",
    "es": "{First} y {second} van juntos; lo uno lleva a lo otro: «{words}»",
}
_PRINCIPLE: Final[dict[str, dict[str, str]]] = {
    "en": {
        Kind.OBSTACLE: "Find out what keeps people from getting on with {terms}, and take it out of the way first.",
        Kind.MEANS: "Build on what already works with {terms}.",
        Kind.WISH: "Make room for what people wish for around {terms}.",
        Kind.CHANGE: "Watch {terms} over time, and act while it can still turn: what holds at first does not last.",
        Kind.FEELING: "Answer the feelings that come with {terms} before asking for more.",
        Kind.THREAD: "Keep {terms} in view: people come back to it by themselves.",
        "link": "Plan for {terms} and for {other} together: what is done for the one is felt in the other.",
        "means_deed": "Build on what already works: {deed}.",
        "wish_deed": "Make it possible to {deed}.",
    },
    "es": {
        Kind.OBSTACLE: "Averiguar qué impide avanzar con {terms} y quitarlo de en medio antes que nada.",
        Kind.MEANS: "Apoyarse en lo que ya funciona con {terms}.",
        Kind.WISH: "Dar lugar a lo que se desea en torno a {terms}.",
        Kind.CHANGE: "Seguir {terms} a lo largo del tiempo y actuar mientras aún puede cambiar.",
        Kind.FEELING: "Atender a los sentimientos que acompañan a {terms} antes de pedir más.",
        Kind.THREAD: "No perder de vista {terms}: se vuelve a ello una y otra vez.",
        "link": "Planear juntos {terms} y {other}: lo que se hace por lo uno se nota en lo otro.",
        "means_deed": "Apoyarse en lo que ya funciona: {deed}.",
        "wish_deed": "Hacer posible {deed}.",
    },
}
_RATIONALE: Final = {
    "en": "“{words}” Supported by {passages} passages.",
    "es": "«{words}» Lo apoyan {passages} pasajes.",
}
_RATIONALE_ONE: Final = {"en": "“{words}” Supported by one passage.", "es": "«{words}» Lo apoya un pasaje."}
_PERSON: Final = {
    "en": {
        "my": "one’s own",
        "me": "one",
        "myself": "oneself",
        "i": "one",
        "our": "one’s own",
        "us": "one",
        "we": "one",
    },
    "es": {"mi": "su", "mis": "sus", "me": "se", "nuestro": "su", "nuestra": "su"},
}


def insight_sentence(kind: str, language: str, *, terms: Sequence[str], words: str, count: int, of: int) -> str:
    """What a pattern tells."""
    named = listed(list(terms), AND[language])
    return _INSIGHT[language][kind].format(terms=named, Terms=_capital(named), words=_inside(words), count=count, of=of)


def link_sentence(language: str, *, first: Sequence[str], second: Sequence[str], words: str) -> str:
    """What two patterns have to do with each other."""
    one, other = listed(list(first), AND[language]), listed(list(second), AND[language])
    return _LINK[language].format(First=_capital(f"“{one}”"), second=f"“{other}”", words=_inside(words))


def principle_sentence(kind: str, language: str, *, terms: Sequence[Sequence[str]], deed: str | None) -> str:
    """What to do, by the kind of the insight. `terms` are those of each pattern; `deed` as the sources name it."""
    named = [listed(list(some), AND[language]) for some in terms]
    key = f"{kind}_deed" if deed else kind
    return _PRINCIPLE[language][key].format(terms=named[0], other=named[-1], deed=deed)


def rationale(language: str, *, words: str, passages: int) -> str:
    """Why: the words, and how many passages support them."""
    form = _RATIONALE_ONE if passages == 1 else _RATIONALE
    return form[language].format(words=_inside(words), passages=passages)


def impersonal(deed: str, language: str) -> str:
    """What somebody did, as something that anybody may do.

    >>> impersonal("making friends of all whom I met", "en")
    'making friends of all whom one met'
    """
    return re.sub(r"\w+", lambda match: _PERSON[language].get(match[0].lower(), match[0]), deed)


def _capital(text: str) -> str:
    at = next((n for n, letter in enumerate(text) if letter.isalpha()), 0)
    return text[:at] + text[at : at + 1].upper() + text[at + 1 :]


def _inside(words: str) -> str:
    """Words that stand in quotation marks already: theirs become single."""
    return words.replace("“", "‘").replace("”", "’").replace('"', "’")
