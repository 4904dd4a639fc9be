"""GPUs that a run may be planned for: memory, bandwidth, arithmetic, from NVIDIA's data sheets."""

from __future__ import annotations

from dataclasses import dataclass, replace

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class CardSpec:
    """A kind of GPU.

    Attributes:
        name: as it is called.
        memory: bytes that the driver gives out: less than the data sheet's, by what it keeps.
        flops: dense products in bfloat16, floating-point operations a second.
        bandwidth: of its memory, bytes a second.
        link: assumed of an all-reduce between the GPUs of a node, bytes a second: about a quarter
            of NVLink's, or half of PCIe's.
    """

    name: str
    memory: float
    flops: float
    bandwidth: float
    link: float


CARDS = {
    "rtx-4090": CardSpec("RTX 4090 24 GB", 23.5 * GIB, 165e12, 1.01e12, 12e9),
    "a100-40gb": CardSpec("A100 40 GB", 39.4 * GIB, 312e12, 1.56e12, 150e9),
    "l40s": CardSpec("L40S 48 GB", 44.4 * GIB, 362e12, 0.86e12, 12e9),
    "a100-80gb": CardSpec("A100 80 GB", 79.1 * GIB, 312e12, 2.04e12, 150e9),
    "h100": CardSpec("H100 80 GB", 79.1 * GIB, 989e12, 3.35e12, 220e9),
    "h200": CardSpec("H200 141 GB", 139.8 * GIB, 989e12, 4.8e12, 220e9),
    "b200": CardSpec("B200 180 GB", 178.4 * GIB, 2250e12, 8.0e12, 450e9),
}
"""By the name that ``--card`` takes. Where several have as much memory, ``find_card_by_memory``
takes the last."""

_NOMINAL = {24: "rtx-4090", 40: "a100-40gb", 48: "l40s", 80: "h100", 141: "h200", 180: "b200"}
_USABLE_SHARE = 0.985  # of what a card of no known kind is said to have


class CardError(ValueError):
    """There is no such card."""


def find_card(name: str) -> CardSpec:
    """Return a kind of GPU by its name.

    Raises:
        CardError: there is none of that name.
    """
    if name not in CARDS:
        raise CardError(f"there is no card {name!r}: use one of {', '.join(CARDS)}")
    return CARDS[name]


def find_card_by_memory(gib: float) -> CardSpec:
    """Return a card by its memory, as it is sold (24, 40, 48, 80, 141, 180) or any other number.

    A number that no card is sold with is planned with the arithmetic and bandwidths of the next
    smaller card, or of the smallest.

    Raises:
        CardError: it is no memory.
    """
    if not gib > 0:
        raise CardError(f"a GPU's memory must be above 0 GiB: got {gib:g}")
    if gib in _NOMINAL:
        return CARDS[_NOMINAL[int(gib)]]
    smaller = [size for size in _NOMINAL if size <= gib] or [min(_NOMINAL)]
    like = CARDS[_NOMINAL[max(smaller)]]
    memory = gib * GIB * _USABLE_SHARE
    return replace(like, name=f"{gib:g} GiB, as fast as {like.name}", memory=memory)


def match_card(name: str, memory: float) -> CardSpec:
    """Return what is known of a card that the driver names, with the memory that it really has."""
    folded = name.lower().replace(" ", "")
    for key in sorted(CARDS, key=len, reverse=True):
        kind, _, size = key.partition("-") if key.startswith("a100") else (key, "", "")
        if kind.replace("-", "") in folded and size in folded:
            return replace(CARDS[key], name=name, memory=memory)
    return replace(find_card_by_memory(memory / GIB), name=name, memory=memory)
