"""The seeder's words: phrases of three languages, with slots that a dice fills."""

import random
from functools import cache
from pathlib import Path

import msgspec
import yaml

FILE = Path(__file__).with_name("phrases.yaml")


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a ticket can be about."""

    category: str
    things: list[str]
    titles: list[str]
    texts: list[str]
    answers: list[str]
    solutions: list[str]


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people write in one language, whatever it is about."""

    first_names: list[str]
    last_names: list[str]
    greetings: list[str]
    places: list[str]
    who: list[str]
    thanks: list[str]
    more: list[str]
    questions: list[str]
    notes: list[str]
    topics: list[Topic]


@cache
def languages() -> dict[str, Language]:
    """Return the phrases by locale; raises `msgspec.ValidationError` naming what is written wrong."""
    return msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), dict[str, Language])


class Wording:
    """The words of one ticket: its topic and what fills the slots are drawn once, so that they fit together."""

    def __init__(self, chance: random.Random, locale: str) -> None:
        self._chance = chance
        self.language = languages()[locale]
        self.topic = chance.choice(self.language.topics)
        self.thing = chance.choice(self.topic.things)
        self._place = chance.choice(self.language.places)
        self._who = chance.choice(self.language.who)

    def say(self, phrases: list[str]) -> str:
        """Return one of the phrases, filled in and begun with a capital letter."""
        phrase = self._chance.choice(phrases).format(
            thing=self.thing, place=self._place, who=self._who, n=self._chance.randrange(100, 9999)
        )
        return phrase[:1].upper() + phrase[1:]

    def description(self) -> str:
        """Return what the requester writes first, sometimes in two paragraphs."""
        parts = [self._chance.choice(self.language.greetings), self.say(self.topic.texts)]
        if self._chance.random() < 0.4:
            parts.append(self.say(self.language.more))
        return "\n\n".join(part for part in parts if part)
