"""One agent through the gateway: environment, hidden and sealed views."""
