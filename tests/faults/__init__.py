"""The fault catalogue against a whole FMgo: each row injected, and what must come of every document then."""
