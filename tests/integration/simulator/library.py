"""Files of the corpus brought before a simulated SII that knows whoever they name."""

import asyncio
import base64
import datetime as dt
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from deploy.sandbox.sii.caf import read_caf
from deploy.sandbox.sii.keys import read_public_key
from deploy.sandbox.sii.registry import Company, Upload
from deploy.sandbox.sii.rut import canonical
from deploy.sandbox.sii.world import World
from tests.integration.simulator.documents import SANTIAGO, Cover, envelope
from tests.integration.simulator.signing import Authority, Person, make_person
from tests.integration.simulator.workbench import Workbench

_SII = "{http://www.sii.cl/SiiDte}"
_DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
_LEAST = dt.timedelta(minutes=5)


@dataclass
class Outcome:
    """What became of a file: the gateway's STATUS, the envelope's state, codes of the findings of each document."""

    status: str
    state: str = ""
    envelope: list[str] = field(default_factory=list)
    documents: list[list[str]] = field(default_factory=list)

    @property
    def is_accepted(self) -> bool:
        """Taken, processed, and no document rejected."""
        rejected = any(code.split("-")[1] == "3" for codes in self.documents for code in codes)
        return (self.status, self.state) == ("0", "EPR") and bool(self.documents) and not rejected

    def __str__(self) -> str:
        if self.status != "0":
            return f"STATUS {self.status}"
        found = Counter(code for codes in self.documents for code in codes)
        detail = ", ".join(f"{code} x{n}" if n > 1 else code for code, n in sorted(found.items()))
        return f"{self.state} {detail or ', '.join(self.envelope)}".strip()


class Library:
    """Brings files of the corpus before a world of their own, in which everybody they name is enrolled."""

    def __init__(self, folder: Path, corpus: Path, authority: Authority) -> None:
        self._folder = folder
        self._corpus = corpus
        self._kit = corpus / "kit"
        self.facts: dict[str, Any] = json.loads((self._kit / "kit.json").read_text("utf-8"))
        self._authority = authority
        self._courier = make_person(
            authority, "16000000-7", since=2002
        )  # signs the envelopes of documents that come alone
        self._worlds = 0

    def bring(self, data: bytes, **switches: Any) -> Outcome:
        """Upload a file under strict arithmetic; a document that comes alone is put into an envelope first."""
        bench, moment = self._bench_for(data)
        bench.world.switches.change({"arithmetic": "strict"} | switches)
        return asyncio.run(self._bring(bench, data, moment))

    async def _bring(self, bench: Workbench, data: bytes, moment: dt.datetime) -> Outcome:
        bench.world.clock.set(moment)
        if b"<DTE" in data and b"<Caratula" not in data:
            data = self._enveloped(bench, data)
        company = _text(data, "RutEmisor") or _text(data, "RutEmisorLibro") or self.facts["issuers"][0]["RUTEmisor"]
        sender = _text(data, "RutEnvia") or self._courier.rut
        bench.person = Person(sender, bench.person.key, bench.person.certificate)
        answer = await bench.upload(bench.session("soap"), data, company=company)
        status = re.search(rb"<STATUS>(\d+)</STATUS>", answer.body)
        assert status is not None, answer.body
        outcome = Outcome(status.group(1).decode())
        for upload in bench.world.registry.uploads.values():
            await bench.world.pipeline.done(upload)
            outcome.state = upload.final_state
            outcome.envelope = [finding.code for finding in upload.findings]
            outcome.documents = [[finding.code for finding in d.findings] for d in upload.documents]
        assert not bench.world.registry.errors
        return outcome

    def workbench(self, data: bytes) -> Workbench:
        """The world in which a file would be examined, at its time."""
        bench, moment = self._bench_for(data)
        bench.world.clock.set(moment)
        return bench

    def upload_of(self, bench: Workbench, data: bytes) -> Upload:
        """An upload of that file that nobody has examined, for looking at a single check."""
        moment = bench.world.clock.now()
        timeline = dict.fromkeys(("SOK", "CRT", "FOK", "PDR", "EPR"), moment)
        company, sender = _text(data, "RutEmisor"), _text(data, "RutEnvia")
        return Upload(1, "soap", sender, company, "", "", 0, "EnvioDTE", moment, 1, timeline)

    def person(self, key: str) -> Person:
        """A person of the kit, by the key of the issuer."""
        issuer = next(i for i in self.facts["issuers"] if i["key"] == key)
        private = serialization.load_pem_private_key((self._kit / issuer["key_file"]).read_bytes(), None)
        assert isinstance(private, rsa.RSAPrivateKey)
        certificate = x509.load_pem_x509_certificate((self._kit / issuer["cert"]).read_bytes())
        return Person(issuer["signer_rut"], private, certificate)

    def _bench_for(self, data: bytes) -> tuple[Workbench, dt.datetime]:
        """A world that knows the kit, and whoever a file of others names; and the time at which it was signed."""
        self._worlds += 1
        production = b"<IDK>300</IDK>" in data
        folder = self._folder / str(self._worlds)
        world = World(folder, "production" if production else "certification", 0)
        registry = world.registry
        registry.authorities.append(self._authority.pem)
        registry.authorities.append((self._kit / self.facts["ca"]).read_text("ascii"))
        self._enrol_the_kit(world)
        for idk in (100, 300):
            pem = (self._corpus / f"trust/sii-idk-{idk}.pub.pem").read_bytes()
            registry.frma_keys.setdefault(idk, []).append(read_public_key(pem))
        _enrol_others(world, data)
        for company in registry.companies:
            registry.permissions[self._courier.rut, company] |= {"send", "sign"}
        registry.persons[self._courier.rut] = "Courier"
        return Workbench(world, self._courier), _signed_at(data)

    def _enrol_the_kit(self, world: World) -> None:
        registry = world.registry
        registry.frma_keys.setdefault(100, []).append(
            read_public_key((self._kit / self.facts["sii_public_key"]).read_bytes())
        )
        for issuer in self.facts["issuers"]:
            rut, signer = issuer["RUTEmisor"], issuer["signer_rut"]
            day = dt.date.fromisoformat(issuer["FchResol"])
            registry.companies[rut] = Company(rut, issuer["RznSoc"], issuer["NroResol"], day)
            registry.persons[signer] = issuer["signer_name"]
            registry.permissions[signer, rut] |= {"send", "sign", "query"}
            for file in issuer["caf"].values():
                registry.add_caf(read_caf((self._kit / file).read_bytes()))

    def _enveloped(self, bench: Workbench, data: bytes) -> bytes:
        """A document that came alone, in an envelope of the courier's; a DOCTYPE goes before the envelope."""
        text = re.sub(r"^\s*<\?xml.*?\?>\s*", "", data.decode("iso-8859-1"))
        doctype = re.match(r"<!DOCTYPE[^\[]*\[.*?\]>\s*", text, re.DOTALL)
        dte = text[doctype.end() :] if doctype else text
        company = bench.world.registry.companies[_text(data, "RUTEmisor")]
        number, day = company.resolution_number, company.resolution_date.isoformat()
        cover = Cover(self._courier.rut, company.rut, number, day)
        kind = int(_text(data, "TipoDTE"))
        if doctype is None:
            return envelope([dte.strip()], [kind], cover, self._courier)
        # Nobody could sign what isn't readable: the document's entity is written out to sign, and put back.
        plain = re.sub(r"&(?!amp;|lt;|gt;|quot;|apos;|#)\w+;", "x", dte)
        made = envelope([plain.strip()], [kind], cover, self._courier)
        made = made.replace(plain.strip().encode("iso-8859-1"), dte.strip().encode("iso-8859-1"))
        return made.replace(b"?>\n", b"?>\n" + doctype.group(0).encode("iso-8859-1"), 1)


def _enrol_others(world: World, data: bytes) -> None:
    """Whoever a file names: issuer, sender and signers, their certificates as their own authorities, their folios."""
    registry = world.registry
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError:
        return
    issuers = {
        text
        for text in _all(root, "RUTEmisor") + _all(root, "RutEmisor") + _all(root, "RutEmisorLibro")
        if canonical(text)
    }
    day, number = (_all(root, name)[:1] for name in ("FchResol", "NroResol"))
    for rut in issuers - set(registry.companies):
        resolution = dt.date.fromisoformat(day[0]) if day else dt.date(2014, 8, 22)
        registry.companies[rut] = Company(rut, "DE OTROS", int(number[0]) if number else 80, resolution)
        for sender in _all(root, "RutEnvia"):
            registry.permissions[sender, rut] |= {"send", "sign"}
        for text in {"".join(text.split()) for text in _all(root, "X509Certificate")}:
            _trust(world, text, rut)
        for caf in root.iter("CAF", f"{_SII}CAF"):
            known = read_caf(etree.tostring(caf).replace(b' xmlns="http://www.sii.cl/SiiDte"', b""))
            registry.add_caf(known)


def _trust(world: World, text: str, company: str) -> None:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(text))
    except ValueError:
        return
    world.registry.authorities.append(certificate.public_bytes(serialization.Encoding.PEM).decode())
    read = world.certificates.read(text)
    if read is not None and read.rut is not None:
        world.registry.permissions[read.rut, company] |= {"send", "sign"}


def _all(root: etree._Element, name: str) -> list[str]:
    return [(e.text or "").strip() for e in root.iter(name, f"{_SII}{name}", f"{_DSIG}{name}")]


def _text(data: bytes, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)<".encode(), data)
    return found.group(1).decode("iso-8859-1").strip() if found else ""


def _signed_at(data: bytes) -> dt.datetime:
    """A little after the file was signed, the latest of its times."""
    found = re.findall(rb"<(?:TmstFirmaEnv|TmstFirma)>([^<]+)<", data)
    moments = [dt.datetime.fromisoformat(text.decode()).replace(tzinfo=SANTIAGO) for text in found]
    return max(moments, default=dt.datetime(2026, 11, 24, 12, tzinfo=SANTIAGO)) + _LEAST
