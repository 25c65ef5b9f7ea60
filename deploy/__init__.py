"""How FMgo is put on machines: the sandbox for one machine, later compose, Kubernetes, systemd and backups.

Nothing but tests imports this package.
"""
