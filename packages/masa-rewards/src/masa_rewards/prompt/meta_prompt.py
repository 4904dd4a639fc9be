"""The meta prompt: asks the policy how its own attempts will go, and reads its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from masa_rewards._inputs import require_text
from masa_rewards.missing import COMPONENTS, Component, Reason
from masa_rewards.prompt.components import BROKEN, TOKENS, read_notions, read_rate, read_whole
from masa_rewards.prompt.keys import make_key_finder, normalise_letters
from masa_rewards.prompt.statement import StatedEntries, find_stated_entries
from masa_rewards.prompt.wording import DEFAULT_WORDING, EXTRA, PROBLEM, fill_wording
from masa_rewards.types import MetaPrediction

READ_CHARACTERS = 20_000
"""Only so many characters from the end of an answer are read."""

Key = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Tag = Annotated[str, Field(min_length=1)]


class Correction(NamedTuple):
    """An answer to a meta prompt with other numbers in it.

    Attributes:
        text: The answer; outside the numbers it is as it was.
        places: From where to where in it each number that was put in stands, by component.
    """

    text: str
    places: Mapping[Component, tuple[int, int]]


class MetaPromptForm(BaseModel):
    """What of a meta prompt is a matter of taste: its wording, its keys, its tags, its scale.

    Examples:
        >>> form = MetaPromptForm(scale=10, pass_rate_key="solved")
        >>> MetaPrompt(**form.model_dump(), max_length=512).format(MetaPrediction(pass_rate=0.5))
        '{"solved": 5}'
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True
    )

    wording: str = DEFAULT_WORDING
    """The meta prompt. {problem} stands in it exactly once; {scale}, {min_length}, {max_length},
    {opening}, {closing}, {pass_rate_key}, {length_key} and {notions_key} may, and {extra} and
    {extra_form}, which are empty without extra keys. Any other brace stands for itself."""
    scale: Annotated[int, Field(ge=1)] = 8
    """The pass rate is predicted as an integer from 0 to this; divided by it on reading."""
    min_length: Annotated[int, Field(ge=0)] = 128
    """Shortest solution length that can be predicted, tokens."""
    pass_rate_key: Key = "pass_rate"
    """Name of the pass rate in the answer's object."""
    length_key: Key = "solution_length"
    """Name of the solution length in the answer's object."""
    notions_key: Key = "math_notion"
    """Name of the list of notions in the answer's object."""
    opening: Tag = "<meta>"
    """Tag before the thinking."""
    closing: Tag = "</meta>"
    """Tag after the thinking."""

    @field_validator("wording")
    @classmethod
    def _one_problem(cls, wording: str) -> str:
        if (count := wording.count(PROBLEM)) != 1:
            raise ValueError(
                f"wording must hold {PROBLEM!r} exactly once, where the problem goes; "
                f"this one holds it {count} times: {wording[:200]!r}"
            )
        return wording


class MetaPrompt(MetaPromptForm):
    r"""The contract between us and the policy: how a prediction is asked for, written and read.

    Examples:
        >>> prompt = MetaPrompt(max_length=4096)
        >>> "from 128 to 4096" in prompt.render("2 + 2?")
        True
        >>> answer = r"<meta>Easy.</meta> \boxed{'pass_rate': '6', 'solution_length': 5000}"
        >>> prediction = prompt.parse(answer)
        >>> prediction.pass_rate, dict(prediction.missing)
        (0.75, {'length': 'out_of_range', 'notions': 'no_key'})
        >>> prompt.format(prediction)
        '{"pass_rate": 6}'
    """

    max_length: Annotated[int, Field(ge=1)] = 8192
    """Longest length that can be predicted, in tokens: the maximum RESPONSE length of a solution
    rollout."""
    extra: tuple[tuple[Key, str], ...] = ()
    """More keys that the object is to have, each with what it is asked for by: "true or false,
    whether the answer is an integer". `entries` has their values; `parse` leaves them alone."""

    @model_validator(mode="after")
    def _consistent(self) -> MetaPrompt:
        if self.min_length > self.max_length:
            raise ValueError(
                f"min_length {self.min_length} > max_length {self.max_length}: state a min_length "
                f"too, the shortest that can be predicted, of at most {self.max_length}"
            )
        keys = [*self._keys.values(), *dict(self.extra)]
        if len(set(map(normalise_letters, keys))) < len(COMPONENTS) + len(self.extra):
            raise ValueError(f"two components have the same key: {sorted(keys)!r}")
        if self.extra and EXTRA not in self.wording:
            raise ValueError(
                f"wording must hold {EXTRA!r}, where the extra keys {sorted(dict(self.extra))!r} "
                f"are asked for: {self.wording[:200]!r}"
            )
        return self

    @property
    def _keys(self) -> dict[Component, str]:
        return {
            "pass_rate": self.pass_rate_key,
            "length": self.length_key,
            "notions": self.notions_key,
        }

    def render(self, problem: str) -> str:
        """Word the meta prompt of a problem.

        Args:
            problem: The problem statement. Braces in it, "{problem}" too, stay as they are.

        Returns:
            The text to put into the user's turn.
        """
        require_text(problem, "render takes the statement of one problem")
        settings = self.model_dump(exclude={"wording", "extra"})
        values = {name: str(value) for name, value in settings.items()}
        values["extra"] = "".join(f'\n- "{key}": {asked}.' for key, asked in self.extra)
        values["extra_form"] = "".join(f', "{key}": ...' for key, _ in self.extra)
        return fill_wording(self.wording, values | {"problem": problem})

    def parse(self, text: str) -> MetaPrediction:
        r"""Parse the answer to a meta prompt. Never raises, whatever the text.

        What counts is the object that states most of our keys, the last of such; objects that
        follow each other and have different keys of ours are read as one, and an object inside of
        another with our keys belongs to that. One behind `</meta>` or `</think>` goes before one
        that was thought of in front of it, which counts only where it is alone.

        Objects are found within prose, code fences, LaTeX (`\boxed{...}`, `$...$`) and JSON
        strings, and read in JSON, Python's and LaTeX's ways of writing them. The form may have
        defects: one costs at most the component it stands in. What a value must be is strict; the
        README of the package lists what is accepted. Read are at most the last 20,000
        characters, and in these the last 64 places where an object could start.

        Args:
            text: What the policy wrote.

        Returns:
            The prediction. An unreadable component is None, with its reason in `missing`.
            pass_rate 5 of 8 reads 0.625.

        Raises:
            TypeError: If it is no text: None, or a list of answers.
        """
        require_text(text, "parse takes the text of one answer")
        found = self._find(text)
        if found is None:
            return MetaPrediction(missing=dict.fromkeys(COMPONENTS, "no_json"))
        return self._read(found.entries)

    def entries(self, text: str) -> Mapping[str, object]:
        """Return the object that `parse` reads, under plain keys; empty where there is none.

        Examples:
            >>> MetaPrompt().entries('So: {"pass_rate": 5, "Is integer": true}')
            mappingproxy({'pass_rate': 5, 'is_integer': True})
        """
        require_text(text, "entries takes the text of one answer")
        found = self._find(text)
        values = {} if found is None else found.entries
        return MappingProxyType(
            {_normalise_key(key): _drop_unstated(value) for key, value in values.items()}
        )

    def correct(
        self, text: str, *, pass_rate: float | None = None, length: int | None = None
    ) -> Correction:
        """Put other numbers into an answer, in the answer's own text, so that `parse` reads them.

        Examples:
            >>> answer = 'Hm. {"solution_length": "700", "pass_rate": 2, "math_notion": ["sum"]}'
            >>> MetaPrompt().correct(answer, pass_rate=0.625, length=450).text
            'Hm. {"solution_length": 450, "pass_rate": 5, "math_notion": ["sum"]}'

        Args:
            text: What the policy wrote.
            pass_rate: In [0, 1]; None leaves the one stated. Rounded as in `format`.
            length: In tokens; likewise, and kept within what the prompt allows.

        Raises:
            ValueError: If the answer has no object, or not the key of a number to be put in; or if
                the pass rate is none.
        """
        require_text(text, "correct takes the text of one answer")
        if pass_rate is not None and not 0 <= pass_rate <= 1:
            raise ValueError(f"pass_rate must lie in [0, 1], got {pass_rate!r}")
        start = max(0, len(text) - READ_CHARACTERS)
        found = self._find(text)
        changes: list[tuple[int, int, Component, str]] = []
        for component, number in self._stated(pass_rate, length).items():
            place = found.places.get(self._keys[component]) if found else None
            if place is None:
                raise ValueError(
                    f"the answer has no {self._keys[component]!r} to correct: {text[-200:]!r}"
                )
            changes.append((place[0] + start, place[1] + start, component, str(number)))
        return _replace_numbers(text, sorted(changes))

    def format(self, prediction: MetaPrediction) -> str:
        """Write a prediction in the form the prompt asks for, and `parse` reads back.

        Args:
            prediction: What to state. A component that is None is left out.

        Returns:
            One line of JSON. The pass rate is rounded to the nearest step of the scale. A length
            that the prompt does not allow is stated as the nearest one that it does.
        """
        if not isinstance(prediction, MetaPrediction):
            raise TypeError(f"format takes a MetaPrediction: got {prediction!r:.80}")
        stated: dict[str, object] = {}
        if prediction.notions is not None:
            stated[self.notions_key] = list(prediction.notions)
        for component, number in self._stated(prediction.pass_rate, prediction.length).items():
            stated[self._keys[component]] = number
        return json.dumps(stated, ensure_ascii=False)

    def _stated(self, pass_rate: float | None, length: int | None) -> dict[Component, int]:
        """The numbers of a prediction as the prompt asks for them."""
        stated: dict[Component, int] = {}
        if pass_rate is not None:
            stated["pass_rate"] = round(pass_rate * self.scale)
        if length is not None:
            stated["length"] = min(max(length, self.min_length), self.max_length)
        return stated

    def _find(self, text: str) -> StatedEntries | None:
        """What the end of an answer states; entries and places are under the prompt's keys."""
        keys = make_key_finder((*self._keys.values(), *dict(self.extra)))
        return find_stated_entries(text[-READ_CHARACTERS:], keys, self.closing)

    def _read(self, entries: Mapping[str, object]) -> MetaPrediction:
        rate = read_rate(entries.get(self.pass_rate_key), self.scale)
        length = read_whole(
            entries.get(self.length_key), self.min_length, self.max_length, units=TOKENS
        )
        notions = read_notions(entries.get(self.notions_key))
        reasons: dict[Component, Reason | None] = {
            "pass_rate": rate.reason,
            "length": length.reason,
            "notions": notions.reason,
        }
        reasons |= {name: "no_key" for name, key in self._keys.items() if key not in entries}
        return MetaPrediction(
            pass_rate=None if rate.value is None else rate.value / self.scale,
            length=length.value,
            notions=notions.value,
            missing={name: reason for name, reason in reasons.items() if reason},
        )


def _replace_numbers(text: str, changes: Sequence[tuple[int, int, Component, str]]) -> Correction:
    """Put numbers in the places of what stands there; places do not overlap, and are in order."""
    places: dict[Component, tuple[int, int]] = {}
    changed, done = "", 0
    for begin, end, component, number in changes:
        changed += text[done:begin]
        places[component] = (len(changed), len(changed) + len(number))
        changed, done = changed + number, end
    return Correction(changed + text[done:], places)


def _normalise_key(key: str) -> str:
    r"""Make one of "Pass Rate", "pass-rate" and LaTeX's "pass\_rate"."""
    return re.sub(r"[\s-]+", "_", key.replace("\\", "").strip().casefold())


def _drop_unstated(value: object) -> object:
    """Without what stands for a value that was not stated, or not readably."""
    return None if value is ... or value is BROKEN else value
