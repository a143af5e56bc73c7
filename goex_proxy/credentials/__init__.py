"""The only room that sees a secret."""
