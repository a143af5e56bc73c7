"""What strangers send: bounded decoders that never raise."""
