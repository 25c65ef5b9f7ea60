"""Views of the control port of what follows an upload: mails, claims and cessions."""

from collections.abc import Iterable
from typing import Any

from deploy.sandbox.sii.exchange import Answer, plain
from deploy.sandbox.sii.registry import Finding, Identity
from deploy.sandbox.sii.world import World


def shown_mails(world: World) -> list[dict[str, Any]]:
    """Every mail that was written, without its bytes."""
    return [
        {
            "number": mail.number,
            "kind": mail.kind,
            "track_id": mail.track_id,
            "company": mail.company,
            "to": mail.to,
            "written_at": mail.written_at.isoformat(timespec="seconds"),
            "size": len(mail.data),
            "variants": mail.variants,
            "lost": mail.lost,
            "delivered": mail.delivered,
            "errors": mail.errors,
        }
        for mail in world.postbox.mails
    ]


def mail_file(world: World, number: str) -> Answer:
    """One mail as it is delivered (message/rfc822)."""
    mail = next((mail for mail in world.postbox.mails if str(mail.number) == number), None)
    return plain(404, "no such mail\n") if mail is None else Answer(200, mail.data, "message/rfc822")


def shown_events(world: World) -> list[dict[str, Any]]:
    """What receivers said of documents."""
    return [
        _named(identity) | {"code": event.code, "company": event.company, "at": event.at.isoformat(timespec="seconds")}
        for identity, events in world.claims.all().items()
        for event in events
    ]


def shown_cessions(world: World) -> dict[str, Any]:
    """Cession files received, and the cessions registered."""
    now = world.clock.now()
    files = [
        {
            "track_id": upload.track_id,
            "sender": upload.sender,
            "company": upload.company,
            "filename": upload.filename,
            "email": upload.email,
            "sha256": upload.sha256,
            "received_at": upload.received_at.isoformat(timespec="seconds"),
            "state": upload.state(now),
            "verdict": upload.verdict,
            "findings": _findings(upload.findings),
        }
        for upload in world.cessions.uploads.values()
    ]
    registered = [
        _named(identity)
        | {
            "sequence": cession.sequence,
            "cedente": cession.cedente,
            "cesionario": cession.cesionario,
            "track_id": cession.track_id,
            "at": cession.at.isoformat(timespec="seconds"),
        }
        for identity, cessions in world.cessions.all().items()
        for cession in cessions
    ]
    return {"files": files, "registered": registered}


def _named(identity: Identity) -> dict[str, Any]:
    issuer, document_type, folio = identity
    return {"issuer": issuer, "type": document_type, "folio": folio}


def _findings(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"code": finding.code, "text": finding.text} for finding in findings]
