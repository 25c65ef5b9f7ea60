"""Audit rows: every use of a secret (a chunk signed, an envelope sealed, a login) and every act of an operator."""

import json
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import run


def audit(tx: Connection, actor: str, action: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Append one row: who, what (`object.verb`), on what, and facts that are no secrets."""
    run(
        tx,
        "INSERT INTO audit_log (actor, action, subject, detail)"
        " VALUES (:actor, :action, :subject, CAST(:detail AS jsonb))",
        actor=actor,
        action=action,
        subject=subject,
        detail=json.dumps(detail or {}),
    )
