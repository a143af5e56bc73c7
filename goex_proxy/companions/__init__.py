"""HTTP services behind the gateway."""
