"""Contract tests of what a user may bring: engine, verifier, reader, gate, planner, signal.

Call one in a test of your own; it raises `ContractError`, which says what is broken and how:

>>> from masa_control import StaticGateSettings, PredictiveGate
>>> from masa_control.contracts import check_gate
>>> check_gate(PredictiveGate())

What they hold is what episodes, audits and a resume rely on. They are no proof: an object that
passes may still be wrong in what it decides.
"""

from masa_control.contracts.breach import ContractError
from masa_control.contracts.decisions import check_gate, check_planner
from masa_control.contracts.readers import check_reader
from masa_control.contracts.rollouts import check_engine, check_verifier
from masa_control.contracts.signals import check_signal

__all__ = [
    "ContractError",
    "check_engine",
    "check_gate",
    "check_planner",
    "check_reader",
    "check_signal",
    "check_verifier",
]
