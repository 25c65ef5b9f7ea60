"""One clock for the sandbox: the ledger's business time and the simulated SII's move together.

Where the SII would make one wait (a minute before a repeated upload, ten before a boleta's verdict) the sandbox moves
time instead of waiting. Heartbeats and leases don't notice: they are in the server's real time.
"""

import datetime as dt

from deploy.sandbox.control import SiiControl
from workers.database.engine import Ledger, run

NEXT = """
    SELECT min(at) - fmgo_now() AS wait, bool_or(held OR at <= fmgo_now()) AS busy
    FROM (
        SELECT greatest(w.due_at, (
                   SELECT max(s.closed_until) FROM sii_services s
                   WHERE s.environment = w.environment AND s.service IN (w.host || w.request, w.host || '.login')
               )) AS at, w.held
        FROM (
            SELECT environment, due_at, lease_owner IS NOT NULL AS held,
                   CASE channel WHEN 'soap' THEN 'dte' ELSE 'boleta' END AS host,
                   CASE WHEN state IN ('sent', 'refused') THEN '.query' ELSE '.upload' END AS request
            FROM envelopes WHERE due_at IS NOT NULL
            UNION ALL
            SELECT environment, due_at, lease_owner IS NOT NULL,
                   CASE WHEN state <> 'signed' THEN '' WHEN document_type IN (39, 41) THEN 'boleta' ELSE 'dte' END,
                   '.upload'
            FROM documents
            WHERE due_at IS NOT NULL AND state IN ('received', 'numbered', 'signed') OR lease_owner IS NOT NULL
        ) w
    ) work
"""


class SandboxClock:
    """Moves both clocks; `moved` is how far they are ahead of real time."""

    def __init__(self, ledger: Ledger, sii: SiiControl) -> None:
        self._ledger = ledger
        self._sii = sii
        self.moved = dt.timedelta(0)

    def advance(self, by: dt.timedelta) -> None:
        """Move business time forward. The SII goes first, so that it never seems to be asked before it could know."""
        self._sii.advance(by)
        self.follow(by)

    def follow(self, by: dt.timedelta) -> None:
        """Move the ledger's business time alone: the SII's clock has moved by itself."""
        with self._ledger.transaction() as tx:
            run(tx, "SELECT set_config('fmgo.sandbox', 'on', true)")
            run(tx, "SELECT fmgo_move_clock(make_interval(secs => :seconds))", seconds=by.total_seconds())
        self.moved += by

    def time_to_next(self) -> dt.timedelta | None:
        """How far away the next thing to do is; None when there is none, or something is due or held right now.

        What has to go through a service of the SII that is closed isn't due before that opens.
        """
        with self._ledger.transaction() as tx:
            row = run(tx, NEXT).one()
        if row.wait is None or row.busy:
            return None
        wait: dt.timedelta = row.wait
        return max(wait, dt.timedelta(0)) + dt.timedelta(milliseconds=100)
