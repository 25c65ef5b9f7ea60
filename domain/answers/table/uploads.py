"""Answers to uploads of documents (DTEUpload) and boletas (boleta.electronica.envio).

STATUS: SII, manual of automatic upload, and clients in the field; 99's text was recorded in 2026. The boletas' API has
HTTP statuses and texts instead (API of boletas 1.0.5).
"""

from domain.answers.table.row import FIELD, NOTHING, OURS, Row

_POLL = "keeps the track id and asks for the verdict: a receipt is no acceptance"
_NEW_LOGIN = "logs in anew once and sends the same bytes; a second refusal in a row pauses that person's channel"
_DOUBT = (
    "the envelope is `uncertain`: identical bytes while the SII recognises them, then questions about the documents"
)
_HELD = "the documents return to `signed`, held, unless an earlier attempt is in doubt: then that is settled first"
_LATER = "sends the same bytes later; nothing was stored"
_USER_AGENT = "if it stays: the SII refuses FMgo's User-Agent or the host is wrong (`fmgo doctor`)"

UPLOADS: tuple[Row, ...] = (
    Row("DTEUpload", "0", "received", "received; a TRACKID follows", "over", _POLL),
    Row(
        "DTEUpload",
        "1",
        "not_received never",
        "the sender has no permission to send for this company",
        "person",
        _HELD,
        "give the person the permission at the SII, then `fmgo envelope release`",
    ),
    Row(
        "DTEUpload",
        "2",
        "not_received never",
        "the file's size is wrong",
        "person",
        _HELD,
        "send smaller envelopes (`FMGO_ENVELOPE_BYTES`), then `fmgo envelope release`",
    ),
    Row("DTEUpload", "3", "not_received later", "the file arrived cut", "later", _LATER),
    Row("DTEUpload", "5", "not_received token", "the token isn't valid any more", "token", _NEW_LOGIN),
    Row(
        "DTEUpload",
        "6",
        "not_received never",
        "the company isn't authorised to send files",
        "person",
        _HELD,
        "have the company authorised at the SII, then `fmgo envelope release`",
    ),
    Row(
        "DTEUpload",
        "7",
        "not_received never",
        "the file doesn't comply with the schema; DETAIL says where",
        "documents",
        "each document is asked about; then halves of it are tried until the culprit stands alone, held"
        " `schema-refused`, unless an earlier attempt is in doubt: then that is settled first",
        "read the detail (`fmgo envelope show`), tell FMgo's makers, replace the culprit (`fmgo document replace`)",
    ),
    Row(
        "DTEUpload",
        "8",
        "not_received never",
        "the file's signature is invalid",
        "person",
        _HELD,
        "check the certificate (`fmgo doctor`), then `fmgo envelope release`",
    ),
    Row("DTEUpload", "9", "not_received later", "the system is locked", "later", _LATER),
    Row(
        "DTEUpload",
        "99",
        "duplicate",
        "the SII has these bytes already; the text names their track id",
        "over",
        "adopts that track id; without one, the documents are asked about",
        source=FIELD,
    ),
    Row("DTEUpload", "(unknown code)", "unknown", "a code that nobody published", "resend", _DOUBT, source=OURS),
    Row(
        "DTEUpload", "(receipt without TRACKID)", "unknown", "STATUS 0 and no track id", "resend", _DOUBT, source=FIELD
    ),
    Row(
        "DTEUpload",
        "(Error 500)",
        "unknown",
        "the service crashed, before or after storing",
        "resend",
        _DOUBT,
        source=FIELD,
    ),
    Row(
        "DTEUpload",
        "(page)",
        "unknown",
        "a page: maintenance, or HA OCURRIDO UN ERROR EN EL UPLOAD",
        "resend",
        _DOUBT,
        source=FIELD,
    ),
    Row(
        "DTEUpload",
        "(page of the login)",
        "not_received token",
        "the session isn't known",
        "token",
        _NEW_LOGIN,
        source=FIELD,
    ),
    Row("DTEUpload", "(empty)", "unknown", "an empty or cut answer, or none in time", "resend", _DOUBT, source=FIELD),
    Row(
        "DTEUpload", "(HTTP 401 or 403)", "not_received token", "refused at the door", "token", _NEW_LOGIN, source=FIELD
    ),
    Row("DTEUpload", "(HTTP 405 or 429)", "not_received later", "asked too often", "later", _LATER, source=FIELD),
    Row(
        "DTEUpload",
        "(HTTP 5xx)",
        "unknown",
        "the front end failed, before or after storing",
        "resend",
        _DOUBT,
        source=FIELD,
    ),
    Row("DTEUpload", "(no connection)", "not_received later", "not one byte left", "later", _LATER, source=OURS),
    Row("boleta upload", "(track id)", "received", "received; JSON with trackid", "over", _POLL),
    Row(
        "boleta upload",
        "(HTTP 401 or 403)",
        "not_received token",
        "NO ESTA AUTENTICADO: the token, or a User-Agent that isn't on the SII's list",
        "token",
        _NEW_LOGIN,
        _USER_AGENT,
        FIELD,
    ),
    Row(
        "boleta upload",
        "(HTTP 400 No trae TOKEN)",
        "not_received token",
        "no token arrived",
        "token",
        _NEW_LOGIN,
        source=FIELD,
    ),
    Row(
        "boleta upload",
        "(HTTP 400)",
        "not_received never",
        "the request is malformed",
        "person",
        _HELD,
        "read the text (`fmgo envelope show`); tell FMgo's makers",
        FIELD,
    ),
    Row("boleta upload", "(HTTP 405 or 429)", "not_received later", "asked too often", "later", _LATER, source=FIELD),
    Row(
        "boleta upload",
        "(Acceso Denegado)",
        "not_received later",
        "this host doesn't take boletas' files",
        "later",
        _LATER,
        "set the host that takes them (`FMGO_SII_REST_UPLOAD_URL`)",
        FIELD,
    ),
    Row(
        "boleta upload",
        "(anything else)",
        "unknown",
        "a page, a text, half an answer, HTTP 404 or 5xx",
        "documents",
        "the envelope is `uncertain`: the documents are asked about first, since nobody knows whether a repeated file"
        " is recognised",
        NOTHING,
        FIELD,
    ),
)
