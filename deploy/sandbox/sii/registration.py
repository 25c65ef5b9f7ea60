"""Registering companies, persons, permissions, authorities and folios: from the control port, or from a file.

A registry file is JSON and holds what ``POST /fixtures`` takes (docs/simulator.md has an example); besides, its
``authority_files`` name PEM files, beside it or by whole path. Loading it again changes nothing that is there: a CAF
for a range that is known is given out again, not made anew.
"""

import base64
import json
from datetime import date
from pathlib import Path
from typing import Any

from cryptography import x509

from deploy.sandbox.sii.caf import Caf, Range, read_caf
from deploy.sandbox.sii.certification import Certified, certify
from deploy.sandbox.sii.registry import Company
from deploy.sandbox.sii.rut import canonical
from deploy.sandbox.sii.world import World

Body = dict[str, Any]
_FOLIO_LIMIT = 10**10
_KNOWN = frozenset({"authorities", "companies", "persons", "permissions", "cafs", "caf_keys"})


def register(world: World, body: Body, *, reuse: bool = False) -> Body:
    """Add what the body names; answers the CAFs and the certificates made. Raises ValueError or KeyError.

    `reuse`: a CAF for a range that is known is answered again, not made anew.
    """
    registry = world.registry
    if set(body) - _KNOWN:
        raise ValueError(f"unknown: {sorted(set(body) - _KNOWN)}")
    for pem in body.get("authorities", ()):
        _trust(world, str(pem))
    for row in body.get("companies", ()):
        company = _company(row)
        registry.companies[company.rut] = company
    certified = [made for row in body.get("persons", ()) if (made := _person(world, row)) is not None]
    for row in body.get("permissions", ()):
        person = read_rut(row["person"])
        registry.persons.setdefault(person, "")
        registry.permissions[person, read_rut(row["company"])] |= {str(action) for action in row["can"]}
    for row in body.get("caf_keys", ()):
        registry.trust_frma_key(int(row["idk"]), str(row["pem"]))
    cafs = [_caf(world, row, reuse=reuse) for row in body.get("cafs", ())]
    registry.save()
    answer: Body = {"cafs": [_shown_caf(caf) for caf in cafs]}
    if certified:
        shown = [{"rut": c.rut, "pfx_base64": base64.b64encode(c.pfx).decode("ascii")} for c in certified]
        answer["certificates"] = shown
    return answer


def register_file(world: World, path: Path) -> list[Path]:
    """Register what a file names; answers the CAF and certificate files written below the simulator's folder.

    Raises ValueError with the file's name when something in it is wrong.
    """
    try:
        body = json.loads(path.read_text("utf-8"))
        files = body.pop("authority_files", [])
        body["authorities"] = [
            *body.get("authorities", []),
            *((path.parent / name).read_text("ascii") for name in files),
        ]
        made = register(world, body, reuse=True)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from error
    cafs = {f"cafs/{r['company']}-{r['type']}-{r['from']}-{r['to']}.xml": r["xml_base64"] for r in made["cafs"]}
    pfxs = {f"certificates/{r['rut']}.pfx": r["pfx_base64"] for r in made.get("certificates", ())}
    return [_write(world.folder / name, content) for name, content in (cafs | pfxs).items()]


def read_rut(text: str) -> str:
    """A RUT in its canonical form; raises ValueError when it is none."""
    rut = canonical(text)
    if rut is None:
        raise ValueError(f"not a RUT: {text!r}")
    return rut


def _write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(base64.b64decode(content))
    return path


def _trust(world: World, pem: str) -> None:
    x509.load_pem_x509_certificate(pem.encode("ascii"))
    if pem not in world.registry.authorities:
        world.registry.authorities.append(pem)
        world.certificates.forget()


def _person(world: World, row: Body) -> Certified | None:
    """Enrol a person; with a password, give them a certificate of the simulator's own authority."""
    rut, name = read_rut(row["rut"]), str(row.get("name", ""))
    world.registry.persons[rut] = name
    password = row.get("certificate_password")
    if password is None:
        return None
    made = certify(world.folder, rut, name or rut, str(password))
    _trust(world, made.authority)
    return made


def _company(row: Body) -> Company:
    resolution = row["resolution"]
    actecos = row.get("actecos")
    return Company(
        rut=read_rut(row["rut"]),
        razon_social=str(row["razon_social"]),
        resolution_number=int(resolution["number"]),
        resolution_date=date.fromisoformat(resolution["date"]),
        actecos=tuple(int(a) for a in actecos) if actecos else None,
        authorised=bool(row.get("authorised", True)),
        contact=str(row.get("contact", "")),
    )


def _caf(world: World, row: Body, *, reuse: bool) -> Caf:
    if "xml_base64" in row:
        return world.registry.add_caf(read_caf(base64.b64decode(row["xml_base64"])))
    company = world.registry.companies[read_rut(row["company"])]
    first, last = int(row["from"]), int(row["to"])
    if not 0 < first <= last < _FOLIO_LIMIT:
        raise ValueError(f"no range of folios: {first} to {last}")
    day = date.fromisoformat(row["date"]) if row.get("date") else world.clock.now().date()
    asked = Range(company.rut, company.razon_social, int(row["type"]), first, last, day)
    known = _given_out(world, asked, dated=bool(row.get("date"))) if reuse else None
    return known or world.registry.authorise_folios(asked)


def _given_out(world: World, asked: Range, *, dated: bool) -> Caf | None:
    """The CAF that was given out for that very range (and date, where one is named)."""
    wanted = asked.company, asked.document_type, asked.first, asked.last
    for caf in world.registry.cafs.values():
        same = (caf.company, caf.document_type, caf.first, caf.last) == wanted
        if same and b"<RSASK>" in caf.xml and (caf.date == asked.date or not dated):
            return caf
    return None


def _shown_caf(caf: Caf) -> Body:
    return {
        "company": caf.company,
        "type": caf.document_type,
        "from": caf.first,
        "to": caf.last,
        "date": caf.date.isoformat(),
        "xml_base64": base64.b64encode(caf.xml).decode("ascii"),
    }
