"""What each company can send, type by type: the rows that `fmgo doctor --sii` is written from. Reading only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class Standing:
    """A company and one type of document that it has folios of (None: none at all), as sending it stands now.

    `obstacle` is what holds documents before an envelope is sealed (`company_obstacles`). `left` counts folios that may
    be given today. `login_at` is the last token of that channel, `login_problem` why there is none now;
    `uploaded_at` the last receipt; `closed_until` and `closed_why` speak of the channel's services.
    """

    issuer: str
    environment: str
    razon_social: str
    document_type: int | None
    channel: str | None
    obstacle: str | None
    resolution_number: int
    resolution_date: date
    sender: str | None
    certificate: bytes | None
    certificate_until: datetime | None
    left: int
    folios_until: date | None
    login_at: datetime | None
    login_problem: str | None
    uploaded_at: datetime | None
    track_id: str | None
    closed_until: datetime | None
    closed_why: str | None
    issuing_stopped: bool
    sending_stopped: bool
    held: int


STANDINGS = """
    WITH companies AS (
        SELECT i.*, o.cause, coalesce(i.issuing_stopped_at, w.issuing_stopped_at) IS NOT NULL AS issuing_stopped,
               coalesce(i.sending_stopped_at, w.sending_stopped_at) IS NOT NULL AS sending_stopped
        FROM issuers i
        JOIN company_obstacles o ON o.issuer = i.rut AND o.environment = i.environment
        JOIN switches w ON w.environment = i.environment
        WHERE CAST(:issuer AS text) IS NULL OR i.rut = :issuer
    ), series AS (
        SELECT c.issuer, c.environment, c.document_type,
               coalesce(sum(f.last - f.next + 1 - f.taken) FILTER (
                   WHERE c.expires_on IS NULL OR c.expires_on >= t.today), 0)::bigint AS left,
               min(c.expires_on) FILTER (WHERE c.expires_on >= t.today AND f.next <= f.last) AS until
        FROM cafs c JOIN folio_counters f ON f.caf = c.id
        CROSS JOIN (SELECT (fmgo_now() AT TIME ZONE 'America/Santiago')::date AS today) t
        WHERE c.withdrawn_at IS NULL
        GROUP BY 1, 2, 3
    )
    SELECT c.rut AS issuer, c.environment, c.razon_social, s.document_type, h.channel, c.cause AS obstacle,
           c.resolution_number, c.resolution_date, p.person AS sender, p.certificate_der AS certificate,
           p.not_after AS certificate_until, coalesce(s.left, 0) AS left, s.until AS folios_until,
           n.obtained_at AS login_at, n.problem AS login_problem, u.sent_at AS uploaded_at, u.track_id,
           v.closed_until, v.reason AS closed_why, c.issuing_stopped, c.sending_stopped,
           (SELECT count(*) FROM documents d
            WHERE d.issuer = c.rut AND d.environment = c.environment AND d.document_type = s.document_type
              AND d.state = 'signed' AND d.held IS NOT NULL) AS held
    FROM companies c
    LEFT JOIN series s ON s.issuer = c.rut AND s.environment = c.environment
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.document_type = ANY (CAST(:rest_types AS smallint[])) THEN 'rest'
                    WHEN s.document_type IS NOT NULL THEN 'soap' END AS channel
    ) h
    LEFT JOIN LATERAL (
        SELECT g.person, x.certificate_der, x.not_after
        FROM issuer_grants g JOIN certificates x ON x.person = g.person
        WHERE g.issuer = c.rut AND g.environment = c.environment AND g.can_sign AND g.can_send
          AND x.retired_at IS NULL AND x.not_before <= fmgo_now() AND x.not_after > fmgo_now()
        ORDER BY x.not_after DESC, x.id DESC LIMIT 1
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT e.obtained_at, CASE WHEN e.retry_at > fmgo_now() OR e.alert IS NOT NULL THEN e.problem END AS problem
        FROM sii_sessions e
        WHERE e.person = p.person AND e.environment = c.environment AND e.channel = h.channel
    ) n ON true
    LEFT JOIN LATERAL (
        SELECT e.sent_at, e.track_id FROM envelopes e
        WHERE e.issuer = c.rut AND e.environment = c.environment AND e.channel = h.channel AND e.sent_at IS NOT NULL
        ORDER BY e.sent_at DESC LIMIT 1
    ) u ON true
    LEFT JOIN LATERAL (
        SELECT max(closed_until) AS closed_until, min(reason) AS reason FROM sii_services z
        WHERE z.environment = c.environment AND z.closed_until > fmgo_now()
          AND z.service LIKE CASE h.channel WHEN 'soap' THEN 'dte.%' WHEN 'rest' THEN 'boleta.%' END
    ) v ON true
    ORDER BY c.environment, c.rut, s.document_type
"""


def standings(tx: Connection, issuer: str | None, rest_types: Sequence[int]) -> list[Standing]:
    """Every company (or one) with each type that it has folios of; one without folios has a line too."""
    rows = run(tx, STANDINGS, issuer=issuer, rest_types=list(rest_types))
    found = []
    for row in rows:
        values = {name: getattr(row, name) for name in Standing.__slots__}
        certificate = values["certificate"]
        found.append(Standing(**{**values, "certificate": None if certificate is None else bytes(certificate)}))
    return found
