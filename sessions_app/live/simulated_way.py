"""What a simulated student does in a study: plausible answers, by what they know, in their own time.

The simulation knows the keys of the forms, as a student knows things: how much of it a student has is drawn once, and
grows between the two assessments. Nothing here touches the database or a socket.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Act = Callable[[str, dict[str, Any]], None]

TICK_EVERY: Final = 15.0  # seconds between two words of a player that plays
LOST: Final = ("I don't know", "not sure", "idk", "nothing really")
BECAUSE: Final = ("because", "since", "so that", "which meant that")
USER_AGENTS: Final = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Safari/537.36",
)


@dataclass(frozen=True)
class Knowledge:
    """What could be known of a study: the right option, or phrases of a good answer, by question; where its site is."""

    right: Mapping[str, int] = field(default_factory=dict)
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: tuple[float, float] | None = None


class Walk:
    """One student on the way through a study. `act` sends an event; times are simulated seconds."""

    def __init__(self, rng: random.Random, knowledge: Knowledge, act: Act) -> None:
        self._rng = rng
        self._knowledge = knowledge
        self._act = act
        self._ability = min(0.95, max(0.05, rng.gauss(0.5, 0.18)))
        self._effort = rng.uniform(0.4, 1.0)
        self._agent = rng.choice(USER_AGENTS)
        self._step = ""
        self._waits = 0.0
        self._given: dict[str, Any] = {}
        self._sentences: list[str] = []
        self._asked: str | None = None
        self._position: float | None = None
        self._playing = False
        self._told = 0.0

    def live(self, state: dict[str, Any], seconds: float) -> None:
        """Let `seconds` pass at the step that `state` shows, and do what the student would have done in them."""
        step, material = state["me"]["step"], state["way"]["material"] or {}
        if step != self._step:
            self._step, self._given, self._asked = step, {}, None
            self._position, self._playing = None, False
            self._waits = self._rng.uniform(2, 8)
        self._waits -= seconds
        if step == "content":
            self._play(material, seconds)
        elif self._waits <= 0:
            self._waits = self._rng.uniform(4, 12)
            getattr(self, f"_{step}", lambda _: None)(material)

    def _agree(self, material: dict[str, Any]) -> None:
        for purpose, asked in material["purposes"].items():
            if asked["decided"] is None:
                unwilling = 0.0 if purpose == "participation" else 0.04
                decision = "refused" if self._rng.random() < unwilling else "granted"
                self._act("consent", {"purpose": purpose, "decision": decision, "version": material["version"]})

    def _prior_knowledge(self, _material: dict[str, Any]) -> None:
        if not self._given:
            ratings = [min(5, max(1, round(self._rng.gauss(1 + 3 * self._ability, 0.8)))) for _ in range(3)]
            self._given = {"ratings": ratings}
            self._act("prior_knowledge", self._given)

    def _place(self, material: dict[str, Any]) -> None:
        if self._given.get("attempts") == material["attempts"]:
            return
        self._given = {"attempts": material["attempts"]}
        if material["attempts"]:
            self._act("place", {"outcome": "skipped", "go_on": True, "user_agent": self._agent})
        elif self._knowledge.place is None or self._rng.random() < 0.08:
            self._act("place", {"outcome": "denied", "user_agent": self._agent})
        else:
            latitude, longitude = (degrees + self._rng.gauss(0, 0.0002) for degrees in self._knowledge.place)
            accuracy = round(self._rng.uniform(4, 30), 1)
            position = {"outcome": "position", "latitude": latitude, "longitude": longitude, "accuracy": accuracy}
            self._act("place", position | {"user_agent": self._agent})

    def _baseline(self, material: dict[str, Any]) -> None:
        self._fill_in(material, self._ability * 0.6)

    def _final(self, material: dict[str, Any]) -> None:
        self._fill_in(material, min(0.97, self._ability * 0.6 + 0.3 * self._effort))

    def _fill_in(self, material: dict[str, Any], knows: float) -> None:
        """One question at a time, then all of them are handed in."""
        fields = [page["fields"][0] for page in material["pages"]]
        open_fields = [asked for asked in fields if asked["id"] not in self._given]
        if open_fields:
            asked = open_fields[0]
            answer = self._answer_to(asked, knows)
            seconds = round(self._rng.uniform(4, 20), 1)
            self._given[asked["id"]] = {"question": asked["id"], "answer": answer, "seconds": seconds}
            if answer is not None:
                self._act("assessment_answer", {"form": material["form"], **self._given[asked["id"]]})
        elif "" not in self._given:
            answers = [given for given in self._given.values() if given["answer"] is not None]
            self._act("assessment_submitted", {"form": material["form"], "answers": answers})
            self._given[""] = True

    def _answer_to(self, asked: dict[str, Any], knows: float) -> int | str | None:
        if self._rng.random() < 0.03:
            return None
        if asked["kind"] == "choice":
            right = self._knowledge.right.get(asked["id"])
            if right is not None and self._rng.random() < knows:
                return right
            return int(self._rng.choice(asked["options"])[0])
        phrases = self._knowledge.phrases.get(asked["id"], ())
        named = [phrase for phrase in phrases if self._rng.random() < knows]
        return f"I think of {', and of '.join(named)}." if named else self._rng.choice(LOST)

    def _play(self, material: dict[str, Any], seconds: float) -> None:
        """The content goes on by itself, with a pause or a look back now and then."""
        self._sentences = [s.strip() for part in material["segments"] for s in part["text"].split(".") if s.strip()]
        if self._position is None:
            self._position = float(material["position"])
            if material["format"] is None:
                self._act("content_begun", {"format": material["formats"][0], "speed": 1, "captions": True})
            self._tell("play", material)
            self._playing = True
            return
        if not self._playing:
            if self._position < material["pause_at"] and self._rng.random() < 0.7:
                self._tell("play", material)
                self._playing = True
            return
        self._position = min(material["pause_at"], self._position + seconds)
        if self._position >= material["pause_at"]:
            self._tell("pause", material)
            self._act("content_reached", {"segment": self._part(material)["number"], "position": self._position})
            self._playing = False
        elif self._rng.random() < 0.03:
            self._tell("pause", material)
            self._playing = False
        elif self._rng.random() < 0.02:
            back = max(0.0, self._position - 10)
            self._tell("rewind", material, to=back)
            self._position = back
        elif self._position - self._told >= TICK_EVERY:
            self._tell("tick", material)

    def _part(self, material: dict[str, Any]) -> dict[str, Any]:
        assert self._position is not None
        begun = [part for part in material["segments"] if part["start"] < max(self._position, 0.1)]
        found: dict[str, Any] = begun[-1] if begun else material["segments"][0]
        return found

    def _tell(self, did: str, material: dict[str, Any], **more: float) -> None:
        assert self._position is not None
        self._told = self._position
        fact = {"did": did, "segment": self._part(material)["number"], "position": round(self._position, 1), "speed": 1}
        self._act("playback", fact | more)

    def _intervention(self, material: dict[str, Any]) -> None:
        waiting = next((e for e in material["exchanges"] if e["answer"] is None), None)
        if waiting is None or waiting["id"] == self._asked:
            return
        self._asked = waiting["id"]
        seconds = round(self._rng.uniform(8, 45), 1)
        self._act("exchange_answer", {"exchange": waiting["id"], "text": self._say(), "seconds": seconds})
        self._waits = self._rng.uniform(10, 40)

    def _say(self) -> str:
        """An answer of some depth: nothing, a fact, a fact with its reason, two reasons."""
        draw = self._rng.random()
        facts = self._rng.sample(self._sentences, min(3, len(self._sentences)))
        if draw > 0.9 * self._effort + 0.08 or not facts:
            return self._rng.choice(LOST)
        first = facts[0]
        if draw > 0.6 * self._effort or len(facts) < 2:
            return f"{first}."
        reason = f"{first} {self._rng.choice(BECAUSE)} {facts[1][0].lower()}{facts[1][1:]}"
        return f"{reason}." if draw > 0.25 * self._effort or len(facts) < 3 else f"{reason}. Also {facts[2].lower()}."

    def _survey(self, material: dict[str, Any]) -> None:
        if self._given:
            return
        fields = [asked for page in material["pages"] for asked in page["fields"]]
        self._given = {
            asked["id"]: self._opinion(asked) for asked in fields if asked["required"] or self._rng.random() < 0.8
        }
        answers = {name: given for name, given in self._given.items() if given != ""}
        self._act("survey_submitted", {"answers": answers, "seconds": round(self._rng.uniform(60, 240), 1)})

    def _opinion(self, asked: dict[str, Any]) -> Any:
        match asked["kind"]:
            case "scale":
                return min(5, max(1, round(self._rng.gauss(2.4 + 2 * self._effort, 0.9))))
            case "yesno":
                return self._rng.random() < 0.4 + 0.5 * self._effort
            case "choice":
                return self._rng.choice(asked["options"])[0]
            case _:
                return self._rng.choice(["The questions.", "It was fine.", "More pictures would help.", ""])
