"""What can go wrong before the agent runs."""


class ViewUnavailable(RuntimeError):
    """The level asked for cannot be had here: the command was not started.

    Nothing is ever started at a lower level instead; the message says what to do.
    """
