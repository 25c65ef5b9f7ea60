"""`fmgo render`: signed documents, or an envelope of them, from files alone: no ledger, no network, nothing recorded.

Folios are given by hand, so whoever renders keeps count of them. What the ledger would know of the issuer is read from
the document's own Emisor.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from domain.caf import Caf, StampingCaf, environment_of, expires_on, read_caf
from domain.certificate import open_pfx
from domain.envelope import Caratula, build_envelope
from domain.issuing import IssuerData, SignedDocument, issue, prepare
from domain.job import NotAJob
from domain.problems import DomainError, Problem
from domain.rut import SII
from domain.signature import RsaSigner
from domain.stamp import chile
from workers.cli.access import PasswordFile, password, read_file
from workers.cli.jobs import bodies_in
from workers.cli.output import BAD_INPUT, DONE, NO, Json, complain, say, show_problems, write_json

_PROLOG: Final = b'<?xml version="1.0" encoding="ISO-8859-1"?>\n'
_LARGEST_FILE: Final = 32 * 1024 * 1024


class RenderError(DomainError):
    """Files that do not go together."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One document to render and where it was read."""

    place: str
    document: Mapping[str, Any]
    issuer: str | None


class _Press:
    """The keys, and the folios that are left."""

    def __init__(self, cafs: Sequence[Caf], signer: RsaSigner, folio: int, at: datetime) -> None:
        self.signer, self.at = signer, at
        self._cafs = cafs
        self._first = folio
        self._used: Counter[int] = Counter()

    def print(self, asked: _Asked) -> SignedDocument:
        """The document under the next folio of its type. Raises DomainError with every problem; no folio is used up."""
        kind = _type_of(asked.document)
        folio = self._first + self._used[kind]
        caf = self._caf(kind, folio)
        environment = environment_of(caf.idk) or "certification"
        today = self.at.astimezone(chile()).date()
        prepared = prepare(asked.document, issuer=_issuer(asked, caf, environment), today=today, referenced={})
        stamping = StampingCaf.load(caf.caf_xml, caf.private_key_der)
        made = issue(prepared, folio=folio, caf=stamping, signer=self.signer, at=self.at)
        self._used[kind] += 1
        return made

    def _caf(self, kind: int, folio: int) -> Caf:
        of_type = [caf for caf in self._cafs if caf.document_type == kind]
        for caf in of_type:
            if caf.first <= folio <= caf.last:
                return caf
        ranges = ", ".join(f"{caf.first} to {caf.last}" for caf in of_type) or "none"
        sentence = f"No CAF for folio {folio} of type {kind}: of that type are {ranges}."
        raise RenderError([Problem("RENDER-CAF", "--caf", sentence)])


def render(
    files: Annotated[list[str], typer.Argument(help="Jobs or documents, JSON or JSON lines; - for standard input.")],
    caf: Annotated[list[Path], typer.Option(help="CAF file of the type. Repeats.", metavar="FILE")],
    pfx: Annotated[Path, typer.Option(help="Certificate and key of the person who signs.", metavar="FILE")],
    folio: Annotated[int, typer.Option(help="Folio of the first document of each type; the next ones follow.", min=1)],
    password_file: PasswordFile = None,
    envelope: Annotated[bool, typer.Option("--envelope", help="Put the documents into one envelope.")] = False,
    resolution_date: Annotated[
        str | None, typer.Option(help="Date of the issuer's resolution, for the envelope.", metavar="DATE")
    ] = None,
    resolution_number: Annotated[int, typer.Option(help="Its number; 0 in certification.", min=0)] = 0,
    receiver: Annotated[str, typer.Option(help="RutReceptor of the envelope; the SII if left out.")] = SII,
    at: Annotated[str | None, typer.Option(help="Moment of signing; now if left out.", metavar="MOMENT")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write into; standard output if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Make signed documents, or an envelope of them, offline.

    Ends with 0 when all were made, 1 when one was refused, 2 when the files do not go together.
    """
    moment = _moment(at)
    resolved = _date(resolution_date) if envelope else None
    credential = open_pfx(read_file(pfx), password(password_file), at=moment)
    signer = RsaSigner.load(credential.private_key_der, credential.certificate_der)
    press = _Press([_usable(read_caf(read_file(each)), moment) for each in caf], signer, folio, moment)
    made, refused = _printed(press, files, as_json=as_json)
    if refused and envelope:
        raise typer.Exit(NO)
    if resolved is not None and made:
        data = _enveloped(made, signer, resolved, resolution_number, receiver, moment)
        _hand_over([("envelope.xml", data, made)], out, as_json=as_json)
    elif made:
        named = [(f"T{each.document_type}F{each.folio}.xml", _PROLOG + each.xml + b"\n", [each]) for each in made]
        _hand_over(named, out, as_json=as_json)
    raise typer.Exit(NO if refused else DONE)


def _printed(press: _Press, files: Sequence[str], *, as_json: bool) -> tuple[list[SignedDocument], int]:
    made, refused = [], 0
    for asked in _documents(files):
        try:
            made.append(press.print(asked))
        except DomainError as fault:
            refused += 1
            if as_json:
                problems = [each.as_dict() for each in fault.problems]
                sys.stderr.write(json.dumps({"file": asked.place, "problems": problems}, ensure_ascii=False) + "\n")
            else:
                show_problems(fault.problems)
    return made, refused


def _documents(files: Sequence[str]) -> Iterator[_Asked]:
    for name in files:
        data = sys.stdin.buffer.read(_LARGEST_FILE) if name == "-" else _large(Path(name))
        for at, body in enumerate(bodies_in(data), 1):
            place = f"{name}:{at}"
            members = _object(place, body)
            document = members.get("document", members)
            if not isinstance(document, dict) or "Encabezado" not in document:
                raise NotAJob([Problem("JOB-DOCUMENT", place, "Write a job, or a document with its Encabezado.")])
            issuer = members.get("issuer")
            yield _Asked(place, document, issuer if isinstance(issuer, str) else None)


def _large(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise RenderError([Problem("FILE", str(path), f"{path} can't be read: {fault.strerror}.")]) from None


def _object(place: str, body: bytes) -> dict[str, Any]:
    """One object; figures with a fraction stay as they were written."""
    try:
        found = json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        raise NotAJob([Problem("JOB-JSON", place, "Write JSON in UTF-8.")]) from None
    if not isinstance(found, dict):
        raise NotAJob([Problem("JOB-OBJECT", place, "Write one JSON object a document.")])
    return found


def _type_of(document: Mapping[str, Any]) -> int:
    head = document.get("Encabezado")
    identification = head.get("IdDoc") if isinstance(head, dict) else None
    kind = identification.get("TipoDTE") if isinstance(identification, dict) else None
    text = str(kind).strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 3):  # noqa: PLR2004  (three digits)
        raise RenderError([Problem("RENDER-TYPE", "Encabezado.IdDoc.TipoDTE", "Say the type of the document.")])
    return int(text)


def _issuer(asked: _Asked, caf: Caf, environment: str) -> IssuerData:
    """The issuer from the document's own Emisor; its RUT and name are those of the CAF where it states none."""
    head = asked.document["Encabezado"]
    stated = head.get("Emisor") if isinstance(head, dict) else None
    values: Mapping[str, Any] = stated if isinstance(stated, dict) else {}

    def said(*names: str) -> str | None:
        return next((str(values[name]) for name in names if values.get(name) not in (None, "")), None)

    missing = [
        names[0] for names in (("GiroEmis", "GiroEmisor"), ("DirOrigen",), ("CmnaOrigen",)) if said(*names) is None
    ]
    if missing:
        sentence = f"Without a ledger the document must state its issuer: {', '.join(missing)}."
        raise RenderError([Problem("RENDER-ISSUER", "Encabezado.Emisor", sentence)])
    codes = values.get("Acteco")
    listed = codes if isinstance(codes, list) else [codes]
    return IssuerData(
        rut=said("RUTEmisor") or asked.issuer or caf.issuer,
        environment=environment,
        razon_social=said("RznSoc", "RznSocEmisor") or caf.razon_social,
        giro=said("GiroEmis", "GiroEmisor") or "",
        acteco=tuple(int(each) for each in map(str, listed) if each.isdecimal()),
        dir_origen=said("DirOrigen") or "",
        cmna_origen=said("CmnaOrigen") or "",
        ciudad_origen=said("CiudadOrigen"),
        telefono=said("Telefono"),
        correo=said("CorreoEmisor"),
        sucursal=said("Sucursal"),
        cdg_sii_sucur=said("CdgSIISucur"),
    )


def _usable(caf: Caf, at: datetime) -> Caf:
    last_day = expires_on(caf.document_type, caf.authorised_on)
    if last_day is not None and at.astimezone(chile()).date() > last_day:
        raise RenderError(
            [Problem("CAF-EXPIRED", "--caf", f"The CAF of type {caf.document_type} ended on {last_day}.")]
        )
    return caf


def _enveloped(
    made: Sequence[SignedDocument], signer: RsaSigner, resolved: date, number: int, receiver: str, at: datetime
) -> bytes:
    issuer = _issuer_of(made[0])
    caratula = Caratula(issuer, signer.rut, resolved, number, receiver)
    return build_envelope(
        [each.xml for each in made], [each.document_type for each in made], caratula=caratula, signer=signer, at=at
    )


def _issuer_of(made: SignedDocument) -> str:
    begin = made.xml.index(b"<RUTEmisor>") + len(b"<RUTEmisor>")
    return made.xml[begin : made.xml.index(b"<", begin)].decode("ascii")


def _hand_over(
    results: Sequence[tuple[str, bytes, Sequence[SignedDocument]]], out: Path | None, *, as_json: bool
) -> None:
    if out is None:
        if len(results) > 1:
            sentence = "Several documents do not go to standard output one after the other: name a folder (--out)."
            complain("RENDER-OUT", sentence, as_json=as_json)
            raise typer.Exit(BAD_INPUT)
        sys.stdout.buffer.write(results[0][1])
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, data, documents in results:
        (out / name).write_bytes(data)
        if as_json:
            write_json({"file": str(out / name), "documents": [_facts(each) for each in documents]})
        else:
            held = ", ".join(f"{each.document_type} folio {each.folio} of {each.total}" for each in documents)
            say(f"{out / name}: {held}")


def _facts(made: SignedDocument) -> dict[str, object]:
    return {
        "type": made.document_type,
        "folio": made.folio,
        "total": made.total,
        "receiver": made.receiver,
        "issued_on": made.issued_on.isoformat(),
        "ted": made.ted.decode("iso-8859-1"),
    }


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        sentence = f"Write a moment as 2026-11-24T10:15:00, not {text}."
        raise RenderError([Problem("AT-UNREADABLE", "--at", sentence)]) from None
    return found.replace(tzinfo=chile()) if found.tzinfo is None else found


def _date(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        sentence = "An envelope needs the date of the issuer's resolution, e.g. 2014-08-22."
        raise RenderError([Problem("RENDER-RESOLUTION", "--resolution-date", sentence)]) from None
