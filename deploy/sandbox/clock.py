"""One clock for the sandbox: the ledger's business time and the simulated SII's move together.

Where the SII would make one wait (a minute before a repeated upload, ten before a boleta's verdict) the sandbox moves
time instead of waiting. Heartbeats and leases don't notice: they are in the server's real time.
"""

import datetime as dt

from deploy.sandbox.control import SiiControl
from workers.database.engine import Ledger, run


class SandboxClock:
    """Moves both clocks; `moved` is how far they are ahead of real time."""

    def __init__(self, ledger: Ledger, sii: SiiControl) -> None:
        self._ledger = ledger
        self._sii = sii
        self.moved = dt.timedelta(0)

    def advance(self, by: dt.timedelta) -> None:
        """Move business time forward. The SII goes first, so that it never seems to be asked before it could know."""
        self._sii.advance(by)
        with self._ledger.transaction() as tx:
            run(tx, "SELECT set_config('fmgo.sandbox', 'on', true)")
            run(tx, "SELECT fmgo_move_clock(make_interval(secs => :seconds))", seconds=by.total_seconds())
        self.moved += by

    def time_to_next(self) -> dt.timedelta | None:
        """How far away the next due envelope is; None when none waits or something is due or held right now."""
        with self._ledger.transaction() as tx:
            row = run(
                tx,
                """
                SELECT min(due_at) - fmgo_now() AS wait,
                       bool_or(lease_owner IS NOT NULL OR due_at <= fmgo_now()) AS busy
                FROM envelopes WHERE due_at IS NOT NULL
                """,
            ).one()
            busy = run(
                tx,
                """
                SELECT EXISTS (SELECT FROM documents WHERE lease_owner IS NOT NULL)
                    OR EXISTS (SELECT FROM documents WHERE due_at <= fmgo_now()
                               AND state IN ('received', 'numbered', 'signed'))
                """,
            ).scalar_one()
        if row.wait is None or row.busy or busy:
            return None
        wait: dt.timedelta = row.wait
        return max(wait, dt.timedelta(0)) + dt.timedelta(milliseconds=100)
