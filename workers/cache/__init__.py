"""Copies that may vanish at any moment: results for producers, tokens for senders. The ledger is the record."""
