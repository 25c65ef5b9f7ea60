"""Codes of services that FMgo doesn't ask, for whoever meets one: `fmgo answers CODE` explains them.

They are apart from the table of what FMgo reads: nothing follows from them here. Codes: SII, WSREGISTRORECLAMODTE 1.2
(2017-08), cession manuals (2007, 2008), error page of the portal (2020); those of books as clients record them.
"""

from domain.answers.table.row import CODES, FIELD, Row, Service

_NOT_ASKED = "FMgo doesn't ask this service"
_LOOK = "see what it says"

_REGISTRY = {
    "0": "the action is done",
    "1": "the issuer's RUT is wrong",
    "2": "the folio is wrong",
    "3": "the type isn't one of the registry's (33, 34, 43)",
    "4": "there is no such action",
    "5": "it was claimed before",
    "6": "its goods can't be acknowledged: it was claimed",
    "7": "this event was registered before, which is as good as done",
    "8": "more than eight days have passed since the SII received it",
    "9": "no records",
    "10": "issued or received before 2017-01-14",
    "11": "what was accepted can't be claimed",
    "12": "what was claimed can't be accepted",
    "13": "it can't be claimed: its goods were acknowledged",
    "17": "only the receiver may do that",
    "18": "the SII didn't receive the document",
    "19": "its goods were claimed before",
    "-1": "an error of the service: again later",
}
_CEDIBLE = {
    "20": "this type can't be ceded",
    "21": "it can't be ceded: a nota de crédito annulled it within eight days",
    "22": "no claim and no acknowledgement is registered",
    "23": "it can be ceded: nothing was claimed",
    "24": "it can't be ceded: it was claimed",
    "25": "it can be ceded: eight days have passed",
}
_CESSION_UPLOAD = {
    "0": "received; a track id follows",
    "1": "the person may not act for the company that cedes",
    "2": "the file is too large or too small",
    "4": "parameters are missing",
    "5": "the token is invalid, doesn't exist or has expired",
    "6": "the company may not issue electronic documents",
    "9": "an error of the service",
    "10": "an error of the service",
}
_CESSION_STATUS = {
    "UPL": "being uploaded",
    "RCP": "received",
    "RSC": "refused: the schema",
    "SOK": "the schema is right",
    "RFS": "refused: the signature",
    "FSO": "the signature is right",
    "RCR": "refused: the Carátula",
    "COK": "the Carátula is right",
    "VDC": "the document is being looked at",
    "RDC": "refused: the document",
    "VCS": "the cessions are being looked at",
    "RCS": "refused: a cession",
    "EOK": "accepted",
    "EAN": "annulled",
}
_CESSION_QUERY = {
    "0": "it is ceded",
    "1": "an error in the data of the question",
    "2": "nothing is known",
    "3": "the token is inactive",
    "4": "the token doesn't exist",
    "5": "the login isn't valid",
    "6": "an error of the service",
    "7": "an error of the service",
    "8": "an error of the service",
    "9": "the permissions can't be read",
    "10": "the person may not act for the company",
    "-15": "the related company isn't linked to it",
}
_BOOKS = {
    "LOK": "the book is right",
    "LSO": "the book's schema is right",
    "LTC": "a state of a book that nobody explained",
    "LRH": "the book doesn't add up",
    "LRS": "refused: the schema",
    "LRC": "refused: the Carátula",
    "LRF": "refused: the signature",
    "LNC": "refused: the kind of sending",
    "LRP": "a state of a book that nobody explained",
    "SRH": "a set of certification that doesn't add up",
}
_PORTAL = {
    "27": "too many sessions of this user in the portal (ten at most): wait an hour",
    "28": "not logged in, or the session has ended",
    "29": "the session's longest time has passed",
    "35": "the certificate was revoked",
    "36": "the certificate has expired",
    "37": "the certificate isn't of an accredited authority",
    "38": "the certificate isn't taken",
}


def _rows(service: Service, codes: dict[str, str], source: str) -> tuple[Row, ...]:
    return tuple(
        Row(service, code, "elsewhere", says, "over", _NOT_ASKED, _LOOK, source) for code, says in codes.items()
    )


ELSEWHERE: tuple[Row, ...] = (
    *_rows("ingresarAceptacionReclamoDoc", _REGISTRY, CODES),
    *_rows("consultarDocDteCedible", _CEDIBLE, CODES),
    *_rows("RTCAnotEnvio", _CESSION_UPLOAD, CODES),
    *_rows("cession status", _CESSION_STATUS, CODES),
    *_rows("cession query", _CESSION_QUERY, CODES),
    *_rows("books", _BOOKS, FIELD),
    *_rows("portal", _PORTAL, CODES),
)
