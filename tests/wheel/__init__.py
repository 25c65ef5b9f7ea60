"""`make wheel`: the built wheel, alone in an empty environment, does FMgo's work (see `__main__`)."""
