"""goex-proxy: undo, symbolic credentials and damage confinement for LLM agents, at the wire."""

__version__ = "0.1.0.dev0"
