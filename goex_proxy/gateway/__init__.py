"""mitmproxy, embedded: translation only."""
