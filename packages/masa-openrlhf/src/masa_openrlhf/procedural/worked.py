"""Worked solutions of what reasoning-gym makes, for the warm-up's demonstrations.

The library's items have an answer, and only those of gsm_symbolic a way to it. For five more tasks
the way is written here, from an item's metadata, in the fewest words that a small model can follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_OWN = "answer_cot"
"""Where gsm_symbolic keeps its worked solution."""

_MARK = "####"
"""What stands there between the way and the answer."""


def write_worked_solution(task: str, metadata: Mapping[str, Any]) -> str:
    """Return the way to an item's answer; "" for a task without one.

    Examples:
        >>> write_worked_solution("chain_sum", {"expression": "4 - 1 + 12"})
        '4 - 1 = 3. 3 + 12 = 15.'

    Args:
        task: its name.
        metadata: the item's.
    """
    own = metadata.get(_OWN)
    if isinstance(own, str):
        return own.partition(_MARK)[0].strip()
    write = _WRITERS.get(task)
    return write(metadata) if write else ""


def _write_sum(metadata: Mapping[str, Any]) -> str:
    first, *rest = re.findall(r"[-+]?\s*\d+", metadata["expression"])
    total, steps = int(first.replace(" ", "")), []
    for term in rest:
        before, total = total, total + int(term.replace(" ", ""))
        steps.append(f"{before} {term[0]} {term[1:].strip()} = {total}.")
    return " ".join(steps)


def _write_gcd(metadata: Mapping[str, Any]) -> str:
    """Euclid's divisions, of the first two numbers, then of what they have and the next."""
    numbers, steps = list(metadata["numbers"]), []
    common = numbers[0]
    for number in numbers[1:]:
        larger, smaller = max(common, number), min(common, number)
        while smaller:
            quotient, rest = divmod(larger, smaller)
            steps.append(f"{larger} = {quotient} * {smaller} + {rest}.")
            larger, smaller = smaller, rest
        common = larger
    return " ".join([*steps, f"The greatest common divisor is {common}."])


def _write_product(metadata: Mapping[str, Any]) -> str:
    """Each factor by the digits of the next, and what these make."""
    first, *rest = (int(factor) for factor in metadata["expression"].split("*"))
    total, steps = first, []
    for factor in rest:
        places = [
            int(digit) * 10**place
            for place, digit in enumerate(reversed(str(factor)))
            if digit != "0" or factor == 0
        ][::-1]
        parts = [total * place for place in places]
        if len(parts) > 1:
            steps += [
                f"{total} * {place} = {part}." for place, part in zip(places, parts, strict=True)
            ]
            steps.append(f"{' + '.join(map(str, parts))} = {total * factor}.")
        else:
            steps.append(f"{total} * {factor} = {total * factor}.")
        total *= factor
    return " ".join(steps)


def _write_legs(metadata: Mapping[str, Any]) -> str:
    from reasoning_gym.arithmetic.leg_counting import ANIMALS

    animals = metadata["animals"]
    parts = [count * ANIMALS[name] for name, count in animals.items()]
    steps = [
        f"{name}: {count} * {ANIMALS[name]} = {part}."
        for (name, count), part in zip(animals.items(), parts, strict=True)
    ]
    return " ".join([*steps, _write_sum({"expression": " + ".join(map(str, parts))})]).strip()


def _write_letters(metadata: Mapping[str, Any]) -> str:
    letter = metadata["target_letter"]
    counts = [word.lower().count(letter) for word in metadata["span"]]
    running = [sum(counts[: place + 1]) for place in range(len(counts))]
    steps = [f"{word}: {total}" for word, total in zip(metadata["span"], running, strict=True)]
    return ", ".join(steps) + "."


_WRITERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "chain_sum": _write_sum,
    "gcd": _write_gcd,
    "leg_counting": _write_legs,
    "letter_counting": _write_letters,
    "products": _write_product,
}
