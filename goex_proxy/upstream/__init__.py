"""The pooled client for images, probes and undo."""
