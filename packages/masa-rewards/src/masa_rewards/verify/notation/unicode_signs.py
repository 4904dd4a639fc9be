"""Spells mathematical Unicode in LaTeX: "√2", "x²", "(-∞，3)", "½", "１２"."""

from __future__ import annotations

import re

_WIDE = {0xFF01 + shift: 0x21 + shift for shift in range(94)}
_SIGNS = {
    "∞": r"\infty ", "×": r"\times ", "✕": r"\times ", "÷": r"\div ", "⋅": r"\cdot ",
    "∙": r"\cdot ", "±": r"\pm ", "∓": r"\mp ", "≤": r"\le ", "⩽": r"\le ", "≦": r"\le ",
    "≥": r"\ge ", "⩾": r"\ge ", "≧": r"\ge ", "≠": r"\neq ", "≈": r"\approx ", "≡": r"\equiv ",
    "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∉": r"\notin ", "∅": r"\emptyset ",
    "⌀": r"\emptyset ", "∣": r"\mid ", "⟨": r"\langle ", "⟩": r"\rangle ", "⌊": r"\lfloor ",
    "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "∨": r"\lor ", "∧": r"\land ",
    "→": r"\to ", "…": r"\ldots ", "⋯": r"\ldots ", "∠": r"\angle ", "△": r"\triangle ",
    "∀": r"\forall ", "∖": r"\setminus ", "⁄": "/", "∕": "/", "∶": ":", "–": "-", "—": "-",
    "‐": "-", "‑": "-", "‒": "-", "−": "-", "﹣": "-", "。": ".", "、": ",", "℃": "°C",
    "℉": "°F", "º": "°", "％": r"\%", "｛": r"\{", "｝": r"\}", "￥": "¥", "￡": "£",
    "′": "'", "″": "''", "‴": "'''",
    "ℤ": r"\mathbb{Z}", "ℝ": r"\mathbb{R}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}",
    "ℂ": r"\mathbb{C}", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ",
    "ε": r"\varepsilon ", "ζ": r"\zeta ", "η": r"\eta ", "θ": r"\theta ", "κ": r"\kappa ",
    "λ": r"\lambda ", "ν": r"\nu ", "ξ": r"\xi ", "π": r"\pi ", "ρ": r"\rho ", "σ": r"\sigma ",
    "τ": r"\tau ", "φ": r"\phi ", "ϕ": r"\phi ", "χ": r"\chi ", "ψ": r"\psi ", "ω": r"\omega ",
    "Γ": r"\Gamma ", "Δ": r"\Delta ", "Θ": r"\Theta ", "Λ": r"\Lambda ", "Π": r"\Pi ",
    "Σ": r"\Sigma ", "Φ": r"\Phi ", "Ψ": r"\Psi ",
}  # fmt: skip
_SPACES = dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_TABLE = _WIDE | {ord(sign): spelled for sign, spelled in _SIGNS.items()} | _SPACES
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ", "0123456789+-()n")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₍₎", "0123456789+-()")
_RAISED_RUN = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ]+")
_LOWERED_RUN = re.compile(r"[₀₁₂₃₄₅₆₇₈₉₊₋₍₎]+")
_FRACTIONS = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅐": (1, 7), "⅛": (1, 8), "⅜": (3, 8),
    "⅝": (5, 8), "⅞": (7, 8), "⅑": (1, 9), "⅒": (1, 10),
}  # fmt: skip
_FRACTION = re.compile(f"[{''.join(_FRACTIONS)}]")
_ROOT = re.compile(
    r"(?P<root>[√∛∜])\s*(?:(?P<bare>\d+(?:\.\d+)?|[A-Za-z]|\\pi)|\{(?P<group>[^{}]*)\}"
    r"|\((?P<brackets>[^()]*)\))"
)
_ROOTS = {"√": r"\sqrt", "∛": r"\sqrt[3]", "∜": r"\sqrt[4]"}
_DOT = re.compile(r"·(?![A-Za-zµΩ])|(?<![A-Za-z])·")


def spell_unicode(text: str) -> str:
    r"""Spell signs that ASCII and LaTeX have another way of writing.

    Examples:
        >>> spell_unicode("3√2 ≤ x²")
        '3\\sqrt{2} \\le  x^{2}'

    What does not show (zero-width spaces, marks of direction) stays, so that it parts digits.

    Args:
        text: An answer.

    Returns:
        The same answer. Micro and ohm signs, degrees and currencies stay.
    """
    if text.isascii():
        return text
    text = _RAISED_RUN.sub(lambda run: f"^{{{run.group().translate(_RAISED)}}}", text)
    text = _LOWERED_RUN.sub(lambda run: f"_{{{run.group().translate(_LOWERED)}}}", text)
    text = _FRACTION.sub(_spell_fraction, text).translate(_TABLE)
    return _DOT.sub(r"\\cdot ", _ROOT.sub(_spell_root, text))


def _spell_fraction(sign: re.Match[str]) -> str:
    above, below = _FRACTIONS[sign.group()]
    return f"\\frac{{{above}}}{{{below}}}"


def _spell_root(root: re.Match[str]) -> str:
    inside = root["bare"] or root["group"] or root["brackets"] or ""
    return f"{_ROOTS[root['root']]}{{{inside}}}"
