"""Answers of the seed and token services, SOAP and REST alike.

Codes: SII, authentication manual 1.9, chapter 8. Whether a new seed may mend a refusal is our reading of it.
"""

from domain.answers.table.row import FIELD, OURS, Row

_AGAIN = "one more login with a new seed at once, then a growing pause up to 15 minutes"
_PAUSE = "a growing pause, 5 minutes to 6 hours; the session's alert is `login-refused`"
_DEFECT = "tell FMgo's makers: the request is malformed"
_CERTIFICATE = "check the certificate (`fmgo doctor`); add a valid one: `fmgo certificate add`"
_ENROL = "enrol the person at the SII with that certificate, then `fmgo certificate add` or wait for the next try"

LOGIN: tuple[Row, ...] = (
    Row("seed", "00", "seed", "a seed", "over", "signs it and asks for a token"),
    Row("seed", "0", "seed", "a seed, as the boletas' API writes it", "over", "signs it and asks for a token"),
    Row("seed", "-1", "later", "an error of the service", "later", _AGAIN),
    Row("seed", "-2", "later", "the service could not make a seed", "later", _AGAIN),
    Row("seed", "(page, text, fault or nothing)", "later", "no answer of the service", "later", _AGAIN, source=FIELD),
    Row("token", "00", "token", "a token", "over", "keeps it sealed, for all companies of this person"),
    Row("token", "01", "never", "the signed request isn't XML", "person", _PAUSE, _DEFECT),
    Row("token", "02", "never", "the signed request isn't XML", "person", _PAUSE, _DEFECT),
    Row("token", "03", "never", "the signed request isn't XML", "person", _PAUSE, _DEFECT),
    Row("token", "04", "never", "the request carries no Signature", "person", _PAUSE, _DEFECT),
    Row(
        "token",
        "05",
        "never",
        "the signature is invalid, or the certificate is wrong or expired",
        "person",
        _PAUSE,
        _CERTIFICATE,
    ),
    Row("token", "06", "never", "the request carries no Semilla", "person", _PAUSE, _DEFECT),
    Row("token", "07", "later", "an error of the service", "later", _AGAIN),
    Row("token", "08", "later", "the seed is unknown, used or too old", "later", _AGAIN),
    Row("token", "09", "later", "an error of the service", "later", _AGAIN),
    Row("token", "10", "later", "the service failed; malformed signatures were answered so too", "later", _AGAIN),
    Row("token", "11", "never", "the request carries no certificate", "person", _PAUSE, _DEFECT),
    Row("token", "12", "later", "an error of the service", "later", _AGAIN),
    Row("token", "21", "never", "the public key isn't the certificate's", "person", _PAUSE, _CERTIFICATE),
    Row(
        "token",
        "-3",
        "never",
        "the certificate isn't accepted, or its owner isn't enrolled at the SII",
        "person",
        _PAUSE,
        _ENROL,
    ),
    Row(
        "token",
        "-07",
        "never",
        'the person isn\'t registered at the SII with the option "certificado digital"',
        "person",
        _PAUSE,
        _ENROL,
    ),
    Row("token", "(unknown code)", "later", "a code that nobody published", "later", _AGAIN, source=OURS),
    Row("token", "(page, text, fault or nothing)", "later", "no answer of the service", "later", _AGAIN, source=FIELD),
)
