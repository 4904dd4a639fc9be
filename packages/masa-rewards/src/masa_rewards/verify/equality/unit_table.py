"""Units by name and symbol, and their size in base units."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit under the symbol it goes by here, and what it is: a size, and powers of base units."""

    symbol: str
    size: Fraction
    powers: tuple[tuple[str, int], ...]


# A line is: symbol = size, base units | names. Those of this list take the prefixes of the SI.
_PREFIXED = """
m = 1 m | meter meters metre metres
g = 1/1000 kg | gram grams gramme grammes
s = 1 s | second seconds
A = 1 A | ampere amperes amp amps
K = 1 K | kelvin kelvins
mol = 1 mol | mole moles
N = 1 kg m s^-2 | newton newtons
J = 1 kg m^2 s^-2 | joule joules
W = 1 kg m^2 s^-3 | watt watts
Pa = 1 kg m^-1 s^-2 | pascal pascals
Hz = 1 s^-1 | hertz
C = 1 A s | coulomb coulombs
V = 1 kg m^2 s^-3 A^-1 | volt volts
Ω = 1 kg m^2 s^-3 A^-2 | ohm ohms
F = 1 kg^-1 m^-2 s^4 A^2 | farad farads
T = 1 kg s^-2 A^-1 | tesla teslas
Wb = 1 kg m^2 s^-2 A^-1 | weber webers
H = 1 kg m^2 s^-2 A^-2 | henry henrys henries
S = 1 kg^-1 m^-2 s^3 A^2 | siemens
cd = 1 cd | candela candelas
lm = 1 lm | lumen lumens
lx = 1 lm m^-2 | lux
Bq = 1 Bq | becquerel becquerels
Gy = 1 Gy | gray grays
Sv = 1 Sv | sievert sieverts
kat = 1 kat | katal katals
L = 1/1000 m^3 | liter liters litre litres
eV = 1 eV | electronvolt electronvolts
bar = 100000 kg m^-1 s^-2 | bars
cal = 1 cal | calorie calories
Wh = 3600 kg m^2 s^-2 |
Ah = 3600 A s |
t = 1000 kg | tonne tonnes
B = 8 bit | byte bytes
bit = 1 bit | bits
pc = 1 pc | parsec parsecs
"""
_OTHERS = """
in = 127/5000 m | inch inches
ft = 381/1250 m | foot feet
yd = 1143/1250 m | yard yards
mi = 201168/125 m | mile miles
lb = 45359237/100000000 kg | lbs pound pounds
oz = 45359237/1600000000 kg | ounce ounces
ton = 1 ton | tons
ha = 10000 m^2 | hectare hectares
acre = 1 acre | acres
gal = 473176473/125000000000 m^3 | gallon gallons
qt = 473176473/500000000000 m^3 | quart quarts
pint = 473176473/1000000000000 m^3 | pints
cup = 473176473/2000000000000 m^3 | cups
cc = 1/1000000 m^3 |
min = 60 s | mins minute minutes
h = 3600 s | hr hrs hour hours
sec = 1 s | secs
day = 86400 s | days
week = 604800 s | weeks
month = 1 month | months
year = 1 year | years yr yrs
cent = 1/100 dollar | cents penny pennies
dollar = 1 dollar | dollars
euro = 1 euro | euros
mph = 1397/3125 m s^-1 |
kph = 5/18 m s^-1 | kmh
knot = 463/900 m s^-1 | knots
rpm = 1/60 turn s^-1 |
turn = 1 turn | revolution revolutions turns
Nm = 1 kg m^2 s^-2 |
atm = 101325 kg m^-1 s^-2 |
mmHg = 1 mmHg |
psi = 1 psi |
dB = 1 dB | decibel decibels
deg = 1 deg | degree degrees
rad = 1 rad | radian radians
degC = 1 degC | celsius
degF = 1 degF | fahrenheit
percent = 1 percent |
"""
_PREFIXES = {
    "Q": 30, "R": 27, "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2,
    "da": 1, "d": -1, "c": -2, "m": -3, "µ": -6, "μ": -6, "u": -6, "n": -9, "p": -12, "f": -15,
    "a": -18, "z": -21, "y": -24, "r": -27, "q": -30,
}  # fmt: skip
_PREFIX_NAMES = {
    "quetta": "Q", "ronna": "R", "yotta": "Y", "zetta": "Z", "exa": "E", "peta": "P", "tera": "T",
    "giga": "G", "mega": "M", "kilo": "k", "hecto": "h", "deca": "da", "deka": "da", "deci": "d",
    "centi": "c", "milli": "m", "micro": "µ", "nano": "n", "pico": "p", "femto": "f", "atto": "a",
    "zepto": "z", "yocto": "y", "ronto": "r", "quecto": "q",
}  # fmt: skip
# Prefix and symbol that spell an English word: "3 am", "5 as".
_WORDS = {"am", "as", "al", "us", "at", "has", "dad", "pt", "Es", "PT", "YS"}


def find_unit(name: str) -> Unit | None:
    """Look a unit up: "kN", "kilonewtons", "KM" and "Kilometers" too; None when it is unknown."""
    return _find_unit(name) if len(name) <= 24 else None


@lru_cache(maxsize=4096)
def _find_unit(name: str) -> Unit | None:
    exact = _SYMBOLS.get(name) or _find_prefixed_symbol(name)
    if exact or len(name) == 1:
        return exact or ({"l": _SYMBOLS["L"]}).get(name)
    lower = name.lower()
    return _NAMES.get(lower) or _find_prefixed_name(lower) or _SYMBOLS_LOWER.get(lower)


def _find_prefixed_symbol(name: str) -> Unit | None:
    for length in (1, 2):
        prefix, rest = name[:length], name[length:]
        rest = "L" if rest == "l" else rest
        if prefix in _PREFIXES and rest in _TAKES_PREFIX and name not in _WORDS:
            return _scale_unit(prefix, _SYMBOLS[rest])
    return None


def _find_prefixed_name(name: str) -> Unit | None:
    for prefix, symbol in _PREFIX_NAMES.items():
        unit = _NAMES.get(name[len(prefix) :]) if name.startswith(prefix) else None
        if unit and unit.symbol in _TAKES_PREFIX:
            return _scale_unit(symbol, unit)
    return None


def _scale_unit(prefix: str, unit: Unit) -> Unit:
    power = _PREFIXES[prefix]
    symbol = ("µ" if power == -6 else prefix) + unit.symbol
    return Unit(symbol, unit.size * Fraction(10) ** power, unit.powers)


def _read_table(table: str) -> tuple[dict[str, Unit], dict[str, Unit]]:
    symbols: dict[str, Unit] = {}
    names: dict[str, Unit] = {}
    for line in table.strip().splitlines():
        definition, _, spelled = line.partition("|")
        symbol, _, made_of = definition.partition(" = ")
        size, *factors = made_of.split()
        powers = tuple(
            sorted(
                (base, int(power or 1)) for base, _, power in (f.partition("^") for f in factors)
            )
        )
        symbols[symbol] = Unit(symbol, Fraction(size), powers)
        names |= dict.fromkeys(spelled.split(), symbols[symbol])
    return symbols, names


_prefixed, _prefixed_names = _read_table(_PREFIXED)
_others, _other_names = _read_table(_OTHERS)
_TAKES_PREFIX = frozenset(_prefixed)
_SYMBOLS = {**_prefixed, **_others}
_NAMES = {**_prefixed_names, **_other_names}
# In capitals as people write them, and only where no prefix could be meant.
_SYMBOLS_LOWER = {
    name.lower(): unit
    for name, unit in {
        **_others,
        **{
            name: _find_prefixed_symbol(name)
            for name in ("mm", "cm", "km", "mg", "kg", "mL", "kW", "kB")
        },
        "hz": _SYMBOLS["Hz"],
    }.items()
    if unit
}
