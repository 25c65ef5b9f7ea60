"""What a fault does to an answer: instead of the work, or after it."""

import dataclasses

from deploy.sandbox.sii.exchange import Answer, Exchange, html, plain
from deploy.sandbox.sii.faults import Rule

_MAINTENANCE = (
    "<h1>Service Temporarily Unavailable</h1>\n<p>The server is temporarily unable to service your request due to "
    "maintenance downtime or capacity problems. Please try again later.</p>\n"
)
_MISUNDERSTOOD = 42


def instead(rule: Rule, exchange: Exchange) -> Answer:
    """The answer of a fault that does no work."""
    exchange.faults.append(rule.fault)
    exchange.outcome = rule.fault
    if rule.fault in {"F-HTTP-503", "F-MAINT"}:
        answer = html(int(rule.args.get("status", 503)), "503 Service Temporarily Unavailable", _MAINTENANCE)
        answer.headers.update({str(k): str(v) for k, v in rule.args.get("headers", {}).items()})
        return answer
    if rule.fault == "F-500-LIT":
        return plain(int(rule.args.get("status", 200)), "Error 500", "text/html")
    if rule.fault == "F-HTML-UP" and rule.args.get("page") == "sessions":
        alert = "<script>alert('Usted ha superado el máximo de sesiones autenticadas');</script>\n"
        return Answer(200, alert.encode("iso-8859-1"), "text/html")
    if rule.fault == "F-HTML-UP":
        return html(200, "Servicio de Impuestos Internos", "\n<h2>HA OCURRIDO UN ERROR EN EL UPLOAD</h2>\n")
    status = {"F-9": 9, "F-UNK": _MISUNDERSTOOD}.get(rule.fault, 0)
    return _upload_status(int(rule.args.get("status", status)), str(rule.args.get("form", "minimal")))


def after(rule: Rule, exchange: Exchange, answer: Answer) -> Answer:
    """The answer that a fault makes of one whose work was done."""
    exchange.faults.append(rule.fault)
    if rule.fault == "F-LOST-1":
        return dataclasses.replace(answer, lost=True)
    if rule.fault in {"F-LOST-2", "F-SLOW"}:
        return dataclasses.replace(answer, delay=float(rule.args.get("seconds", 30)))
    if rule.fault == "F-LOST-5":
        return dataclasses.replace(answer, body=b"")
    place = answer.body.find(b"<TRACKID>")
    default = place + len(b"<TRACKID>") + 4 if place >= 0 else len(answer.body) // 2
    return dataclasses.replace(answer, cut_at=int(rule.args.get("bytes", default)))


def _upload_status(status: int, form: str) -> Answer:
    if form == "loose":
        body = (
            f'<?xml version="1.0"?>\n<RECEPCIONDTE>\n <STATUS>{status}</STATUS>\n  Error en el envio\n</RECEPCIONDTE>\n'
        )
    elif form == "full":
        body = (
            f'<?xml version="1.0"?>\n<RECEPCIONDTE>\n <STATUS>{status}</STATUS>\n <DETAIL>\n'
            "<ERROR>Error en el envio</ERROR>\n</DETAIL>\n</RECEPCIONDTE>\n"
        )
    else:
        body = f'<?xml version="1.0"?>\n<RECEPCIONDTE>\n  <STATUS>{status}</STATUS>\n</RECEPCIONDTE>\n'
    return Answer(200, body.encode("ascii"), "text/xml")
