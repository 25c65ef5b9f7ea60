"""The examination of received envelopes, one after the other in the order of their arrival.

The work is done between requests, a document at a time, so that the services stay responsive. What it finds is
entered at once; what a query shows of it follows the upload's timeline on the clock: REC, SOK, CRT, FOK, PDR, and
EPR, or RSC, RCT, RFR where it ends earlier. A document counts as received for others from the moment its own verdict
shows.
"""

import asyncio
import contextvars
import sys
import traceback
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.sandbox.sii.books import BookChecks
from deploy.sandbox.sii.document_checks import DocumentChecks, identity_of, unreadable
from deploy.sandbox.sii.envelope_checks import EnvelopeChecks, Refusal
from deploy.sandbox.sii.extraction import Piece, pieces
from deploy.sandbox.sii.light import Glance, counts, sketch
from deploy.sandbox.sii.objections import objections
from deploy.sandbox.sii.reading import Element, NotXmlError, children, find_all
from deploy.sandbox.sii.references import changes_others, enter_note, referred
from deploy.sandbox.sii.registry import Document, Finding, Registry, Upload
from deploy.sandbox.sii.switches import Switches

_FORCED_REFUSALS = {
    "F-RCT": Refusal("RCT", Finding("CRT-3-19", "Fecha/Numero Resolucion Invalido")),
    "F-RFR": Refusal("RFR", Finding("ENV-3-999", "Firma del Envio Incorrecta")),
    "F-RSC": Refusal("RSC", Finding("ENV-3-0", "LSX-00204: extra data at end of complex element")),
}
_A_BREATH = 100  # documents looked at lightly between two requests


def _args(fault: dict[str, Any]) -> dict[str, Any]:
    return dict(fault.get("args") or {})


def _forced(fault: dict[str, Any], folios: set[int]) -> Refusal | None:
    """The refusal that a fault wants, if it means an envelope of these folios."""
    meant = set(_args(fault).get("folios", ()))
    return _FORCED_REFUSALS.get(fault.get("fault", "")) if not meant or meant & folios else None


@dataclass(frozen=True, slots=True)
class Checks:
    """What files are examined with."""

    envelopes: EnvelopeChecks
    documents: DocumentChecks
    books: BookChecks


class Pipeline:
    """The queue of uploads under examination."""

    def __init__(
        self,
        registry: Registry,
        checks: Checks,
        switches: Switches,
        examined: Callable[[Upload], None],
    ) -> None:
        self._registry = registry
        self._envelopes = checks.envelopes
        self._documents = checks.documents
        self._books = checks.books
        self._switches = switches
        self._examined = examined
        self._queue: deque[tuple[Upload, bytes, Element | Glance]] = deque()
        self._finished: dict[int, asyncio.Event] = {}
        self._touched: set[int] = set()
        self._worker: asyncio.Task[None] | None = None
        self.changed: Callable[[Upload], None] = lambda _upload: None  # told of each upload that is another now

    def put(self, upload: Upload, data: bytes, root: Element | Glance) -> None:
        """Queue a received file."""
        self._finished[upload.track_id] = asyncio.Event()
        self._queue.append((upload, data, root))
        if self._worker is None or self._worker.done():
            # In a context of its own: the worker outlives the request that wakes it, and its faults of form.
            self._worker = asyncio.get_running_loop().create_task(self._work(), context=contextvars.Context())

    async def done(self, upload: Upload) -> None:
        """Wait until an upload has been examined."""
        event = self._finished.get(upload.track_id)
        if event is not None:
            await event.wait()

    def stop(self) -> None:
        """Drop what is queued."""
        self._queue.clear()
        if self._worker is not None:
            self._worker.cancel()

    async def _work(self) -> None:
        while self._queue:
            upload, data, root = self._queue.popleft()
            try:
                if isinstance(root, Glance):
                    await self._glance(upload, data, root)
                else:
                    await self._examine(upload, data, root)
            except Exception:  # noqa: BLE001 - a bug here must be seen and must not stop what comes after
                self._registry.errors.append(f"upload {upload.track_id}: {traceback.format_exc()}")
                traceback.print_exc(file=sys.stderr)
            finally:
                self._tell(upload)
                self._finished.pop(upload.track_id).set()

    def _tell(self, upload: Upload) -> None:
        """The upload is examined, and others may have changed: those whose documents its notes change."""
        for track_id in {upload.track_id} | self._touched:
            self.changed(self._registry.uploads[track_id])
        self._examined(upload)
        self._touched.clear()

    async def _examine(self, upload: Upload, data: bytes, root: Element) -> None:
        await asyncio.sleep(0)
        if upload.is_book:
            self._books.examine(root, upload)
            return
        fault = upload.verdict_fault or {}
        elements = find_all(children(root)[0], "DTE")
        folios = {identity_of(children(element)[0])[2] for element in elements} if "folios" in _args(fault) else set()
        refusal = _forced(fault, folios) or self._envelopes.examine(root, upload)
        found: list[Piece] = []
        if refusal is None:
            try:
                found = pieces(data, len(elements))
                refusal = self._repeated(elements, fault)
            except NotXmlError as error:
                refusal = Refusal("RFR", Finding("ENV-3-999", f"Envio ilegible: {error}"))
        if refusal is not None:
            upload.final_state = refusal.state
            upload.findings.append(refusal.finding)
            return
        objector = objections(fault, len(found))
        for element, piece in zip(elements, found, strict=True):
            document = self._document(upload, element, piece)
            document.findings.extend(objector.objection(document))
            self._registry.enter(document)
            if changes_others(document) and document.state != "rejected":
                self._enter_note(children(piece.alone())[0], document)
            upload.documents.append(document)
            await asyncio.sleep(0)
        upload.final_state = "EPR"

    async def _glance(self, upload: Upload, data: bytes, seen: Glance) -> None:
        """What is left of an examination under light checks: counts and folios."""
        await asyncio.sleep(0)
        fault = upload.verdict_fault or {}
        refusal = _forced(fault, {sketch(piece, upload.track_id, upload.received_at).folio for piece in seen.pieces})
        if refusal is None and counts(data) != Counter(seen.types):
            refusal = Refusal("RCT", Finding("CRT-3-999", f"SubTotDTE No Cuadra [{counts(data)}]"))
        if refusal is not None:
            upload.final_state = refusal.state
            upload.findings.append(refusal.finding)
            return
        objector = objections(fault, len(seen.pieces))
        for number, piece in enumerate(seen.pieces, 1):
            document = sketch(piece, upload.track_id, upload.timeline["EPR"])
            document.findings.extend(self._documents.folio_findings(document.identity, document.digest))
            document.findings.extend(objector.objection(document))
            self._registry.enter(document)
            upload.documents.append(document)
            if number % _A_BREATH == 0:
                await asyncio.sleep(0)
        upload.final_state = "EPR"

    def _document(self, upload: Upload, element: Element, piece: Piece) -> Document:
        try:
            return self._documents.examine(piece, upload)
        except NotXmlError as error:
            return unreadable(children(element)[0], piece, upload, str(error))

    def _enter_note(self, body: Element, note: Document) -> None:
        enter_note(body, note, self._registry)
        for reference in find_all(body, "Referencia"):
            original = referred(reference, note.issuer, self._registry)
            if original is None:
                continue
            # A note that annuls a note also revives what that one had annulled.
            revived = (self._registry.documents.get(identity) for identity, _ in original.changes)
            self._touched |= {original.track_id} | {document.track_id for document in revived if document is not None}

    def _repeated(self, elements: list[Element], fault: dict[str, Any]) -> Refusal | None:
        """With the switch so set, an envelope of nothing but known folios is refused as a whole."""
        if self._switches.repeat_mode != "envelope" and fault.get("fault") != "F-DUP-2":
            return None
        known = self._registry.documents
        repeated = all(identity_of(children(element)[0]) in known for element in elements)
        return Refusal("RFR", Finding("ENV-3-999", "Envio Repetido")) if repeated else None
