"""One agent through the gateway: environment, hidden and sealed views.

Not a sandbox: it keeps an agent from what the gateway guards, not from the user's own files.
"""

from goex_proxy.launch.errors import ViewUnavailable
from goex_proxy.launch.plan import HidePlan, Level
from goex_proxy.launch.probe import find_engine, probe
from goex_proxy.launch.run import run
from goex_proxy.launch.view import Launched, start

__all__ = [
    "HidePlan",
    "Launched",
    "Level",
    "ViewUnavailable",
    "find_engine",
    "probe",
    "run",
    "start",
]
