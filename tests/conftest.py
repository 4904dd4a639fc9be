"""For all tests."""

import signal

from hypothesis import HealthCheck, settings

# Machines that run the tests are shared: how long one example takes says nothing.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# A shell has what it runs in the background ignore Ctrl-C, and children inherit that; some tests
# are about Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
