"""What the SII checks in books and in reports of folios: schema, Carátula, signature, and whether the figures add up.

Books of purchases and sales, of delivery notes and of boletas, and the daily report of folios of boletas (consumo de
folios, RVD) come by DTEUpload. Their states: LSO (schema right), then LOK, or LRS (schema), LRC (Carátula), LNC (kind
of sending), LRF (signature), LRH (the summary doesn't agree with its lines). Since 2022-08 nobody needs the report; it
is still taken, with a repair in the mail (SII, Res. Ex. 53/2022). Which figures the real service compares is not
published; compared here are those that any reader of the format can add up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.own_signature import is_own, own_sign_check, with_own_signature
from deploy.sandbox.sii.reading import Element, children, find, find_all, text_of
from deploy.sandbox.sii.registry import Finding, Registry, Upload
from deploy.sandbox.sii.schemas import SchemaMissingError, Schemas
from deploy.sandbox.sii.signatures import BadSignatureError, Signature, sign_check
from deploy.sandbox.sii.switches import Switches

_REPORT = "ConsumoFolios"
_OF_BOLETAS = "LibroBoleta"
_SIGNED = {_REPORT: "DocumentoConsumoFolios"}
# Sold in such numbers that the book of sales may hold their totals without a line each.
_SUMMED_ONLY = frozenset({"35", "38", "39", "41", "48", "105", "919", "922", "924"})
_COMPARED = ("TotDoc", "TotMntExe", "TotMntNeto", "TotMntIVA", "TotMntTotal")
_SALE = "1"
_MANY = 5


def for_its_schema(root: Element, name: str, switches: Switches) -> Element:
    """A file as its schema is to read it: a book of boletas with its Signature in the namespace that is taken."""
    return with_own_signature(root) if name == _OF_BOLETAS and switches.book_signature != "own" else root


class BookChecks:
    """Examines books."""

    def __init__(self, registry: Registry, certificates: Certificates, schemas: Schemas, switches: Switches) -> None:
        self._registry = registry
        self._certificates = certificates
        self._schemas = schemas
        self._switches = switches
        self._accepted: set[tuple[str, ...]] = set()

    def examine(self, root: Element, upload: Upload) -> None:
        """Write the verdict of a book on its upload."""
        upload.final_state, found = self._verdict(root, upload)
        upload.findings.extend(found)

    def _verdict(self, root: Element, upload: Upload) -> tuple[str, list[Finding]]:
        schema = self._schema_fault(root, upload)
        if schema:
            return "LRS", [Finding("ENV-3-0", schema)]
        body = children(root)[0]
        turn = _turn(body, upload)
        signature = self._signature_fault(root, upload)
        steps = (
            ("LRC", "CRT-3-999", self._caratula_fault(body, upload)),
            ("LNC", "CRT-3-999", "Ya Existe un Envio Aceptado de este Tipo" if turn in self._accepted else ""),
            ("LRF", "ENV-3-999", f"Firma del Libro Incorrecta: {signature}" if signature else ""),
            ("LRH", "ENV-3-999", "; ".join(list(_disagreements(body, upload.root))[:_MANY])),
        )
        for state, code, fault in steps:
            if fault:
                return state, [Finding(code, fault)]
        self._accepted.add(turn)
        if upload.root == _REPORT:
            return self._switches.report_state, [Finding("ENV-2-999", "RVD no es obligatorio")]
        return "LOK", []

    def _schema_fault(self, root: Element, upload: Upload) -> str:
        try:
            read = for_its_schema(root, upload.root, self._switches)
            return "; ".join(self._schemas.faults(read, upload.root)[:_MANY])
        except SchemaMissingError as error:
            return f"SCH-00001: Invalid Schema Name ({error})"

    def _caratula_fault(self, body: Element, upload: Upload) -> str:
        company = self._registry.companies[upload.company]
        expected = {
            "RutEmisor" if upload.root == _REPORT else "RutEmisorLibro": upload.company,
            "RutEnvia": upload.sender,
            "NroResol": str(company.resolution_number),
            "FchResol": company.resolution_date.isoformat(),
        }
        wrong = [tag for tag, value in expected.items() if text_of(body, f"Caratula/{tag}") != value]
        return f"{', '.join(wrong)} No Corresponde" if wrong else ""

    def _signed(self, root: Element, name: str) -> Signature:
        own = name == _OF_BOLETAS and self._switches.book_signature != "w3c" and is_own(root)
        check = own_sign_check if own else sign_check
        return check(root, _SIGNED.get(name, "EnvioLibro"), self._certificates)

    def _signature_fault(self, root: Element, upload: Upload) -> str:
        try:
            certificate = self._signed(root, upload.root).certificate
        except BadSignatureError as error:
            return str(error)
        fault = certificate.fault_at(upload.received_at)
        if fault is not None:
            return fault
        if certificate.rut != upload.sender:
            return "RUT del certificado distinto a RutEnvia"
        return "" if self._registry.may(upload.sender, upload.company, "sign", "send") else "usuario sin permiso"


def _turn(body: Element, upload: Upload) -> tuple[str, ...]:
    """What may be accepted once: a report of a day and number, a book of a period, operation, kind and segment."""
    if upload.root == _REPORT:
        tags: tuple[str, ...] = ("FchInicio", "FchFinal", "SecEnvio")
    else:
        tags = ("PeriodoTributario", "TipoOperacion", "TipoLibro", "TipoEnvio", "NroSegmento", "FolioNotificacion")
    return upload.company, upload.root, *(text_of(body, f"Caratula/{tag}") for tag in tags)


def _disagreements(body: Element, root: str) -> Iterator[str]:
    """What doesn't add up, a sentence each."""
    if root == _REPORT:
        for summary in find_all(body, "Resumen"):
            yield from _report_disagreements(summary)
        return
    lines = find_all(body, "Detalle")
    check = {"LibroCompraVenta": _of_purchases_and_sales, "LibroGuia": _of_delivery_notes, "LibroBoleta": _of_boletas}
    # The summary of the period speaks of this file alone only when the period came in one sending.
    whole = text_of(body, "Caratula/TipoEnvio") in {"TOTAL", ""}
    for name in ("ResumenSegmento", "ResumenPeriodo") if whole else ("ResumenSegmento",):
        found = find(body, name)
        if found is not None:
            yield from check[root](found, lines)


def _report_disagreements(summary: Element) -> Iterator[str]:
    kind = text_of(summary, "TipoDocumento")
    issued, annulled, used = (_number(summary, f"Folios{name}") for name in ("Emitidos", "Anulados", "Utilizados"))
    if issued + annulled != used:
        yield f"{kind}: FoliosUtilizados [{used} <> {issued} + {annulled}]"
    for tag, count in (("RangoUtilizados", issued), ("RangoAnulados", annulled)):
        ranges = [(_number(r, "Inicial"), _number(r, "Final") or _number(r, "Inicial")) for r in find_all(summary, tag)]
        covered = sum(last - first + 1 for first, last in ranges)
        if covered not in {count, used if tag == "RangoUtilizados" else count}:
            yield f"{kind}: {tag} cubre {covered} folios [{count}]"
    parts = sum(_number(summary, tag) for tag in ("MntNeto", "MntIva", "MntExento"))
    if parts != _number(summary, "MntTotal"):
        yield f"{kind}: MntTotal [{_number(summary, 'MntTotal')} <> {parts}]"


def _of_purchases_and_sales(summary: Element, lines: list[Element]) -> Iterator[str]:
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        row = sums[text_of(line, "TpoDoc")]
        if text_of(line, "Anulado"):
            row["TotAnulado"] += 1
            continue
        row["TotDoc"] += 1
        for tag in ("MntExe", "MntNeto", "MntIVA", "MntTotal"):
            row[f"Tot{tag}"] += _number(line, tag)
    stated = {text_of(total, "TpoDoc"): total for total in children(summary)}
    yield from (f"Detalle de tipo {kind} sin resumen" for kind in sums if kind not in stated)
    for kind, stated_total in stated.items():
        if kind in sums or kind not in _SUMMED_ONLY:
            yield from _compared(kind, stated_total, sums[kind], _COMPARED)


def _of_delivery_notes(summary: Element, lines: list[Element]) -> Iterator[str]:
    row: Counter[str] = Counter()
    moves: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        annulled, kind = text_of(line, "Anulado"), text_of(line, "TpoOper")
        if annulled:
            row["TotFolAnulado" if annulled == "1" else "TotGuiaAnulada"] += 1
        elif kind == _SALE:
            row["TotGuiaVenta"] += 1
            row["TotMntGuiaVta"] += _number(line, "MntTotal")
        else:
            moves[kind]["CantGuia"] += 1
            moves[kind]["MntGuia"] += _number(line, "MntTotal")
    yield from _compared("52", summary, row, ("TotFolAnulado", "TotGuiaAnulada", "TotGuiaVenta", "TotMntGuiaVta"))
    stated = {text_of(total, "TpoTraslado"): total for total in find_all(summary, "TotTraslado")}
    for kind in sorted(set(moves) | set(stated)):
        if kind not in stated:
            yield f"traslado {kind} sin resumen"
        else:
            yield from _compared(f"traslado {kind}", stated[kind], moves[kind], ("CantGuia", "MntGuia"))


def _of_boletas(summary: Element, lines: list[Element]) -> Iterator[str]:
    sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    annulled: Counter[str] = Counter()
    for line in lines:
        if text_of(line, "Anulado"):
            annulled[text_of(line, "TpoDoc")] += 1
            continue
        row = sums[text_of(line, "TpoDoc"), text_of(line, "TpoServ")]
        row["TotDoc"] += 1
        row["TotMntTotal"] += _number(line, "MntTotal")
    for total in children(summary):
        kind = text_of(total, "TpoDoc")
        if _number(total, "TotAnulado") != annulled[kind]:
            yield f"{kind}: TotAnulado [{_number(total, 'TotAnulado')} <> {annulled[kind]}]"
        for service in find_all(total, "TotalesServicio"):
            place = kind, text_of(service, "TpoServ")
            yield from _compared(" ".join(place), service, sums.pop(place, Counter()), ("TotDoc", "TotMntTotal"))
    yield from (f"Detalle de tipo {' '.join(place)} sin resumen" for place in sums)


def _compared(name: str, total: Element, row: Counter[str], tags: tuple[str, ...]) -> Iterator[str]:
    for tag in tags:
        if (tag in row or find(total, tag) is not None) and _number(total, tag) != row[tag]:
            yield f"{name}: {tag} [{_number(total, tag)} <> {row[tag]}]"


def _number(element: Element, path: str) -> int:
    """Pesos or a count at a path, 0 where there is none; the schema has seen that it is a number."""
    return int(Decimal(text_of(element, path) or 0))
