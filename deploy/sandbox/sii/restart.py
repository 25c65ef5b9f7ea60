"""What follows an upload, over a restart: claims, cessions, and which result mails were written.

Lines of the journal. A mail that was due and not written before the restart is written after it; those written before
aren't shown again.
"""

from datetime import datetime

from pydantic import TypeAdapter

from deploy.sandbox.sii.cessions import AecUpload, Cession
from deploy.sandbox.sii.claims import Event
from deploy.sandbox.sii.clock import SANTIAGO
from deploy.sandbox.sii.registry import Finding, Identity
from deploy.sandbox.sii.world import World

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_CESSION: TypeAdapter[Cession] = TypeAdapter(Cession)


def keep_event(world: World, identity: Identity, event: Event) -> None:
    """Write down what a receiver said."""
    world.journal.add("events", {"identity": identity, "event": _EVENT.dump_python(event, mode="json")})


def keep_cession(world: World, upload: AecUpload) -> None:
    """Write down a cession file: when it comes, and again with its verdict and the cession it registered."""
    new = next((c for c in _registered(world, upload) if c.track_id == upload.track_id), None)
    world.journal.add(
        "cessions",
        {
            "track_id": upload.track_id,
            "sender": upload.sender,
            "company": upload.company,
            "filename": upload.filename,
            "email": upload.email,
            "sha256": upload.sha256,
            "received_at": upload.received_at.isoformat(),
            "timeline": {step: at.isoformat() for step, at in upload.timeline.items()},
            "verdict": upload.verdict,
            "findings": [[finding.code, finding.text] for finding in upload.findings],
            "identity": upload.identity,
            "cession": None if new is None else _CESSION.dump_python(new, mode="json"),
        },
    )


def restore_cessions(world: World) -> None:
    """Know cession files and cessions again; the last line of a track id holds."""
    for row in world.journal.rows("cessions"):
        cession = row.pop("cession")
        identity = row["identity"] = tuple(row["identity"]) if row["identity"] else None
        row["received_at"] = _moment(row["received_at"])
        row["timeline"] = {step: _moment(at) for step, at in row["timeline"].items()}
        row["findings"] = [Finding(code, text) for code, text in row["findings"]]
        upload = AecUpload(**row)
        world.cessions.uploads[upload.track_id] = upload
        world.reserve_track_id("rtc", upload.track_id)
        if cession is not None and identity is not None:
            world.cessions.register(identity, _CESSION.validate_python(cession))


def restore_claims_and_mails(world: World) -> None:
    """Know what receivers said, and let mails be written that weren't before the restart."""
    for row in world.journal.rows("events"):
        issuer, document_type, folio = row["identity"]
        event = _EVENT.validate_python(row["event"])
        at = event.at.astimezone(SANTIAGO)
        world.claims.restore((issuer, document_type, folio), Event(event.code, event.company, at))
    written = {row["track_id"] for row in world.journal.rows("mails")}
    for upload in world.registry.uploads.values():
        if upload.final_state and upload.track_id not in written:
            world.postbox.expect(upload)


def _registered(world: World, upload: AecUpload) -> list[Cession]:
    return world.cessions.of(upload.identity) if upload.identity else []


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(SANTIAGO)
