"""Checks of what callers pass in: a TypeError that names the way out."""

from __future__ import annotations

from collections.abc import Iterable

from masa_rewards.types import MetaPrediction, RolloutGroup


def require_text(value: object, what: str) -> None:
    """Refuse anything but text.

    Raises:
        TypeError: If it is not text; `what` names what is expected.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what}, a str: got {_show_value(value)}")


def require_prediction(prediction: object, group: object) -> None:
    """Refuse anything but a prediction and a group.

    Raises:
        TypeError: If one of them is something else, with what to do instead.
    """
    if isinstance(prediction, RolloutGroup) and isinstance(group, MetaPrediction):
        raise TypeError(
            "the prediction comes first, the group second: they are the other way round"
        )
    _require_prediction(prediction)
    require_group(group)


def require_predictions(
    predictions: Iterable[MetaPrediction], group: object
) -> list[MetaPrediction]:
    """Refuse anything but predictions and a group.

    Returns:
        The predictions as a list: an iterator can be read only once.

    Raises:
        TypeError: If one of them is something else, with what to do instead.
    """
    if isinstance(predictions, RolloutGroup):
        raise TypeError("the predictions come first, the group second: this is a group")
    if isinstance(predictions, MetaPrediction):
        raise TypeError("predictions are a list of MetaPrediction, got one: put it into a list")
    if isinstance(predictions, str) or not isinstance(predictions, Iterable):
        raise TypeError(f"predictions are a list of MetaPrediction, got {_show_value(predictions)}")
    listed = list(predictions)
    for prediction in listed:
        _require_prediction(prediction)
    require_group(group)
    return listed


def require_group(group: object) -> None:
    """Refuse anything but a group.

    Raises:
        TypeError: If it is something else, with what to do instead.
    """
    if isinstance(group, list | tuple):
        raise TypeError(
            f"a group is a RolloutGroup, got {_show_value(group)}: put the rollouts of one problem "
            "into RolloutGroup(problem=..., rollouts=...), with its statement"
        )
    if not isinstance(group, RolloutGroup):
        raise TypeError(f"a group is a RolloutGroup, got {_show_value(group)}")


def _require_prediction(prediction: object) -> None:
    if isinstance(prediction, MetaPrediction):
        return
    way_out = ""
    if isinstance(prediction, str):
        way_out = ": read the text with MetaPrompt.parse"
    elif prediction is None:
        way_out = ": what predicts nothing is MetaPrediction()"
    elif isinstance(prediction, list | tuple):
        way_out = ": several predictions go to meta_rewards or notion_rewards"
    raise TypeError(f"a prediction is a MetaPrediction, got {_show_value(prediction)}{way_out}")


def _show_value(value: object) -> str:
    shown = repr(value)
    short = f"{shown[:80]}..." if len(shown) > _SHOWN else shown
    return short if value is None else f"{type(value).__name__} {short}"


_SHOWN = 80
