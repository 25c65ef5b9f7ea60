"""Reasons that the SII gives for single documents and envelopes, in its mails and in the boletas' status.

SECTION-LEVEL-CODE: level 3 rejects, 2 and 1 are repairs of an accepted document. Texts of real mails; the list isn't
complete, and what isn't in it is shown verbatim and judged by its level alone. Where a reason is about a line, the mail
writes the line's number into the code (`DET L2-2-200`); here it is left out.
"""

from domain.answers.table.row import FIELD, NOTHING, ONCE, Row

REPEATED = "repeated"

_REJECTED = "the document is rejected; its folio is spent"
_REPAIRED = "the document is accepted with repairs"
_REPLACE = "mend the cause and replace it: a job with `replaces`"
_ENVELOPE = "the envelope is refused: its documents return to `signed`, held"
_ASKED = "no verdict: an earlier upload may have brought it, so the SII is asked until it holds it or says DNK"
_NOTE = "if the amounts or texts are wrong: a nota de crédito or débito corrects them"
_RELEASE = "then `fmgo envelope release`"


def _rejects(code: str, says: str, person: str = _REPLACE, source: str = FIELD) -> Row:
    return Row("reasons", code, "rejected", says, "person", _REJECTED, person, source)


def _repairs(code: str, says: str, person: str = NOTHING, source: str = FIELD) -> Row:
    return Row("reasons", code, "repaired", says, "over", _REPAIRED, person, source)


def _refuses(code: str, says: str, person: str) -> Row:
    return Row("reasons", code, "refused", says, "person", _ENVELOPE, f"{person}, {_RELEASE}", FIELD)


REASONS: tuple[Row, ...] = (
    _refuses("ENV-3-0", "the schema of envelope or document", "tell FMgo's makers"),
    _refuses("ENV-3-6", "signer or sender lacks the permission", "give the permission at the SII"),
    _refuses("CRT-3-11", "RutEnvia differs from the upload's sender", "tell FMgo's makers"),
    _refuses("CRT-3-18", "RutReceptor of the Carátula isn't the SII's (60803000-K)", "tell FMgo's makers"),
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
    _repairs("TED-1-646", "the stamp's date is earlier than the CAF's, or doesn't go with the signature's"),
    _repairs("TED-1-647", "the stamp's date is earlier than the CAF's, or doesn't go with the signature's"),
    _rejects("HED-3-211", "content that only boletas have, sent by DTEUpload", "tell FMgo's makers; replace it"),
    _repairs("HED-2-220", "MntExe doesn't add up", _NOTE),
    _repairs("HED-2-223", "the net must be above 0 where there is VAT", _NOTE),
    _repairs("HED-1-232", "the net must be above 0 where lines are taxable; exempt sales go in a 34", _NOTE),
    _repairs("HED-2-260", "MntTotal doesn't add up", _NOTE),
    _rejects("HED-3-265", "MontoPeriodo isn't MntTotal and MontoNF"),
    _repairs("HED-2-300", "the rate of a retained tax", _NOTE),
    _repairs("HED-2-302", "the amount of a retained tax", _NOTE),
    _rejects("HED-3-305", "the date is earlier than the folios' authorisation"),
    _repairs("HED-1-803", "S/PAGO: amounts in another currency must be 0"),
    _repairs("HED-2-804", "a mandatory field of an export is missing (Marcas, IdContainer, Sello)"),
    _rejects("HED-3-834", "an export without OtraMoneda"),
    _rejects("HED-3-845", "the receiver has no address", "add DirRecep; replace it"),
    _rejects("HED-3-861", "the activity isn't registered for the issuer", "correct the issuer's Acteco; replace it"),
    _repairs(
        "HED-1-863", "RznSoc isn't the one in the CAF (RS)", "compare both with the SII's; `fmgo issuer add`", ONCE
    ),
    _rejects("REF-3-415", "a note without a valid reference, or on a guía"),
    _rejects("REF-3-750", "the document referred to doesn't exist at the SII"),
    _rejects("REF-3-751", "the document referred to has another receiver"),
    _rejects("REF-3-758", "CodRef is missing"),
    _repairs("REF-2-780", "an annulment with another amount", _NOTE),
    _repairs("REF-2-781", "a correction of text that carries amounts", _NOTE),
    _repairs("DET-1-200", "a line's amount isn't price × quantity − discount + surcharge", _NOTE),
    _repairs("DET-2-200", "a line's amount isn't price × quantity − discount + surcharge", _NOTE),
    _rejects("DET-3-854", "a line without the name of what was sold (NmbItem)"),
)
