"""Terms of the field: by when the SII should have a document, and until when its receiver may speak.

What waits is sent in the order of the first. Allowances by type are settings with their sources (`workers.settings`).
A guía de despacho that says when its goods leave must be there before they do (SII, Res. Ex. 154/2025, in force since
2026-11-01).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from domain.document import Document
from domain.stamp import chile

AT_ONCE: Final = timedelta(0)
GUIA: Final = 52


def send_by(document: Document, signed_at: datetime, allowances: Mapping[int, timedelta]) -> datetime:
    """The moment (UTC) by which a document signed at `signed_at` (aware) should be at the SII.

    A type without an allowance goes at once, and so does a guía whose goods have left or that doesn't say when they
    leave (Transporte/FchSalida and HraSalida, Chile's time, format of 2026).
    """
    departure = _departure(document) if document.type == GUIA else None
    if departure is not None and departure > signed_at:
        return departure.astimezone(UTC)
    return (signed_at + allowances.get(document.type, AT_ONCE)).astimezone(UTC)


def end_of_claims(received_at: datetime, days: int) -> datetime:
    """The first moment (UTC) at which a receiver may speak no more of what the SII received at `received_at` (aware).

    The days are counted from the day after the reception, and the last one counts to its end in Chile: what came in on
    1 January at 20:00 may be claimed until 9 January, 23:59:59 (SII, preguntas frecuentes 001.003.6914; Ley 19.983).
    """
    after_the_last = received_at.astimezone(chile()).date() + timedelta(days=days + 1)
    return _begin_of(after_the_last).astimezone(UTC)


def _begin_of(day: date) -> datetime:
    """The first moment of a day in Chile; in September there is one that begins at one o'clock."""
    return datetime.combine(day, time(), tzinfo=chile())


def _departure(document: Document) -> datetime | None:
    transport = document.header.get("Transporte") or {}
    day, hour = transport.get("FchSalida"), transport.get("HraSalida")
    return datetime.combine(day, time.fromisoformat(hour), tzinfo=chile()) if day and hour else None
