"""A fault of ours, told without a secret: the kind of exception and where, never its text."""

import traceback
from pathlib import Path

_ROOT = Path(__file__).parent.parent


def where(error: BaseException) -> str:
    """`KeyError in console/api.py:120 (_undo)`: the last place of ours that it passed."""
    places = _places(error)
    return f"{type(error).__name__} in {places[-1]}" if places else type(error).__name__


def trail(error: BaseException) -> str:
    """Every place of ours that it passed, the outermost first, on one line; for a log."""
    return f"{type(error).__name__}: {' > '.join(_places(error))}"


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_ROOT)]
    return [f"{Path(f.filename).relative_to(_ROOT)}:{f.lineno} ({f.name})" for f in ours]
