"""The ledger's schema, step by step; shipped in the wheel and found by its path."""
