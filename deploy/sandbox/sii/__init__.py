"""A simulator of the SII: the services that receive electronic tax documents, on ports of this machine.

It answers as the published protocol says the SII answers, it really checks what it receives, and what it can't know
about the real service is a switch. It stands for somebody else's system, so it shares no code with FMgo: what FMgo
signs is verified here by xmlsec, what FMgo stamps by arithmetic of the simulator's own.

Start it with ``python -m deploy.sandbox.sii --folder DIR``.
"""
