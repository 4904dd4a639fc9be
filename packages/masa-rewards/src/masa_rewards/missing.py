"""Why a component is unreadable: a small, fixed vocabulary that can be counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

Component = Literal["pass_rate", "length", "notions"]
"""The components of a meta prediction."""

COMPONENTS: tuple[Component, ...] = get_args(Component)

Reason = Literal[
    "not_given",  # the prediction was built by hand, without this component
    "no_json",  # the answer holds no object that can be read and has one of the keys
    "no_key",  # the object lacks this key
    "null",  # null, None
    "wrong_type",  # a list where a number belongs, a word, an object, ...
    "boolean",  # true is not 1
    "not_finite",  # NaN, Infinity, 1e999
    "not_integer",  # 5.5
    "out_of_range",  # outside the range that the prompt states
    "empty",  # no notion in the list
    "broken",  # something is there that cannot be read: a quote too many, a word behind a list
]
"""Why a component is unreadable."""

REASONS: tuple[Reason, ...] = get_args(Reason)


class Missing(Mapping[Component, Reason]):
    """The unreadable components, each with its reason: an immutable mapping.

    Use it as a dict: `prediction.missing["length"]`, `Counter(prediction.missing.values())`. Unlike
    a dict it is hashable, so that a prediction is.

    Examples:
        >>> from collections import Counter
        >>> from masa_rewards import MetaPrompt
        >>> read = [MetaPrompt().parse(text) for text in ('{"pass_rate": 9}', "Hm.")]
        >>> Counter(prediction.missing["pass_rate"] for prediction in read)
        Counter({'out_of_range': 1, 'no_json': 1})
    """

    __slots__ = ("_reasons",)

    def __init__(self, reasons: Mapping[Component, Reason] | None = None) -> None:
        self._reasons: dict[Component, Reason] = dict(reasons or {})

    def __getitem__(self, component: Component) -> Reason:
        return self._reasons[component]

    def __iter__(self) -> Iterator[Component]:
        return iter(self._reasons)

    def __len__(self) -> int:
        return len(self._reasons)

    def __hash__(self) -> int:
        return hash(frozenset(self._reasons.items()))

    def __repr__(self) -> str:
        return f"Missing({self._reasons!r})"
