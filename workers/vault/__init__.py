"""Secrets at rest: what seals private keys and tokens, and what hands loaded keys to whoever signs."""
