"""Runs phases: performs commands, locks, holds, recovery, undo runs."""
