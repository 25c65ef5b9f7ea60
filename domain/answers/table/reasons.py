"""Reasons that the SII gives for single documents and envelopes, in its mails and in the boletas' status.

SECTION-LEVEL-CODE: level 3 rejects, 2 and 1 are repairs of an accepted document. Texts of real mails; the list isn't
complete, and what isn't in it is shown verbatim and judged by its level alone.
"""

from domain.answers.table.row import FIELD, NOTHING, Row

REPEATED = "repeated"

_REJECTED = "the document is rejected; its folio is spent"
_REPAIRED = "the document is accepted with repairs"
_REPLACE = "mend the cause and replace it: a job with `replaces`"
_ENVELOPE = "the envelope is refused: its documents return to `signed`, held"
_ASKED = "no verdict: an earlier upload may have brought it, so the SII is asked until it holds it or says DNK"
_RELEASE = "then `fmgo envelope release`"


def _rejects(code: str, says: str, person: str = _REPLACE) -> Row:
    return Row("reasons", code, "rejected", says, "person", _REJECTED, person, FIELD)


def _repairs(code: str, says: str, person: str = NOTHING) -> Row:
    return Row("reasons", code, "repaired", says, "over", _REPAIRED, person, FIELD)


def _refuses(code: str, says: str, person: str) -> Row:
    return Row("reasons", code, "refused", says, "person", _ENVELOPE, f"{person}, {_RELEASE}", FIELD)


REASONS: tuple[Row, ...] = (
    _refuses("ENV-3-0", "the schema of envelope or document", "tell FMgo's makers"),
    _refuses("ENV-3-6", "signer or sender lacks the permission", "give the permission at the SII"),
    _refuses("CRT-3-11", "RutEnvia differs from the upload's sender", "tell FMgo's makers"),
    _refuses("CRT-3-19", "date or number of the resolution is invalid", "`fmgo issuer set-resolution`"),
    Row(
        "reasons",
        "DTE-3-100",
        REPEATED,
        "the document was received before",
        "documents",
        _ASKED,
        "if it ends in `conflict`: see DNK",
        FIELD,
    ),
    Row(
        "reasons",
        "DTE-3-101",
        REPEATED,
        "this folio was received before",
        "documents",
        _ASKED,
        "if it ends in `conflict`: see DNK",
        FIELD,
    ),
    _rejects("DTE-3-505", "the document's signature is invalid", "tell FMgo's makers"),
    _rejects("DTE-3-601", "the folio was annulled", "find who annulled folios that FMgo still issues; then replace it"),
    _repairs("DTE-1-650", "the date is out of term"),
    _rejects(
        "CAF-3-516", "the CAF is of the other environment, or its signature is wrong", "load the right CAF; replace it"
    ),
    _rejects(
        "CAF-3-517", "the CAF was more than six months old when the document was signed", "load a new CAF; replace it"
    ),
    _repairs("TED-2-510", "the stamp's signature is invalid", "tell FMgo's makers at once: every stamp may be broken"),
    _rejects("TED-3-640", "the stamp's data differ from the document's"),
    _repairs("TED-1-646", "the stamp's data"),
    _repairs("TED-1-647", "the stamp's date"),
    _rejects("HED-3-305", "the date is earlier than the folios' authorisation"),
    _rejects("HED-3-211", "the header"),
    _rejects("HED-3-834", "the header"),
    _rejects("HED-3-861", "the activity isn't registered for the issuer", "correct the issuer's Acteco; replace it"),
    _repairs("HED-2-300", "the header"),
    _repairs("HED-2-302", "the header"),
    _repairs("HED-2-804", "the header"),
    _repairs("HED-1-803", "the header"),
    _rejects("REF-3-415", "the reference is invalid"),
    _rejects("REF-3-750", "the document referred to doesn't exist at the SII"),
    _rejects("REF-3-751", "the document referred to is another party's"),
    _rejects("REF-3-758", "CodRef is missing"),
    _repairs("REF-2-780", "an annulment with another amount"),
    _repairs("DET-1-200", "a line's amount isn't price times quantity"),
)
