"""An invented shop: the jobs that the demo puts on the queue, valid and invalid, and how the shop goes on.

Each job says what is expected of it, so that the demo's closing line can be held against the list and not against
FMgo's own opinion. Everything is made from one seed.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from deploy.sandbox.people import Company, rut
from domain.codes.document_types import BOLETA, INVOICE

COMPANIES: Final = (
    Company(
        rut=rut(76_900_101),
        razon_social="FERRETERÍA EL ÑANDÚ LTDA.",
        giro="Venta al por menor de artículos de ferretería",
        acteco=475201,
        dir_origen="Av. O'Higgins 1234",
        cmna_origen="Chillán",
        ciudad_origen="Chillán",
    ),
    Company(
        rut=rut(77_654_321),
        razon_social="CONSULTORA PÉREZ & HIJOS SPA",
        giro="Asesorías informáticas",
        acteco=620200,
        dir_origen="Los Aromos 45, Of. 301",
        cmna_origen="Providencia",
        ciudad_origen="Santiago",
    ),
    Company(
        rut=rut(78_765_432),
        razon_social="ALMACENES DON TITO S.A.",
        giro="Almacén y minimercado",
        acteco=472101,
        dir_origen="Caupolicán 890",
        cmna_origen="Temuco",
        ciudad_origen="Temuco",
    ),
)
FERRETERIA, CONSULTORA, ALMACENES = COMPANIES

_GOODS: Final = (
    ("Martillo carpintero 16 oz", 8_990),
    ("Taladro percutor 650 W", 45_990),
    ('Caja de clavos 2½" (1 kg)', 2_390),
    ("Pintura látex blanco 1 gl", 14_990),
    ("Señalética <PELIGRO> & cinta", 3_490),
    ('Llave inglesa 10"', 11_290),
    ("Bisagra 3x3 par", 1_190),
    ("Piña en almíbar 560 g", 1_890),
    ("Café molido 250 g", 4_590),
    ("Ñoquis frescos 500 g", 2_790),
)
_SERVICES: Final = (
    ("Asesoría en línea, hora", 35_000),
    ("Mantención mensual de servidores", 180_000),
    ("Diseño de página web", 450_000),
    ("Capacitación Excel avanzado", 95_000),
)
_CUSTOMERS: Final = (
    ("CONSTRUCTORA LOS ÁLAMOS S.A.", "Construcción de edificios", "Camino El Alba 9500", "Las Condes"),
    ("PANADERÍA LA ESPIGA LTDA.", "Elaboración de pan", "Colo Colo 77", "Concepción"),
    ("MUNICIPALIDAD DE PEÑAFLOR", "Administración pública", "Alcalde Luis Araya 1215", "Peñaflor"),
    ("J. MUÑOZ Y CÍA.", "Transporte de carga", "Ruta 5 Sur km 411", "San Carlos"),
)


@dataclass(frozen=True)
class DemoJob:
    """A job as the shop sends it (raw bytes) and what must come of it; `why` names the fault of an invalid one."""

    body: bytes
    key: str
    issuer: str
    document_type: int
    valid: bool
    why: str = ""
    replaces: bool = False


def _body(job: dict[str, Any]) -> bytes:
    return json.dumps(job, ensure_ascii=False).encode("utf-8")


class Shop:
    """Makes jobs; the same seed makes the same jobs."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)  # noqa: S311 - invented sales, no secrets
        self._numbers: dict[str, int] = {}

    def _key(self, kind: str) -> str:
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind}-{self._numbers[kind]:05d}"

    def _lines(self, goods: tuple[tuple[str, int], ...], most: int = 5) -> list[dict[str, Any]]:
        lines = []
        for name, price in self._random.choices(goods, k=self._random.randint(1, most)):
            line: dict[str, Any] = {"NmbItem": name, "QtyItem": self._random.randint(1, 6), "PrcItem": price}
            if self._random.random() < 0.2:  # noqa: PLR2004 - a fifth of the lines
                line["DescuentoPct"] = self._random.choice([5, 10, 15])
            lines.append(line)
        return lines

    def _job(self, kind: str, company: Company, document: dict[str, Any], *, lane: str = "bulk") -> dict[str, Any]:
        return {
            "version": 1,
            "idempotency_key": self._key(kind),
            "issuer": company.rut,
            "lane": lane,
            "document": document,
        }

    def _receiver(self) -> dict[str, Any]:
        name, giro, address, comuna = self._random.choice(_CUSTOMERS)
        return {
            "RUTRecep": rut(self._random.randint(5_000_000, 25_000_000)),
            "RznSocRecep": name,
            "GiroRecep": giro,
            "DirRecep": address,
            "CmnaRecep": comuna,
        }

    def invoice(self, company: Company, *, lane: str = "bulk", replaces: str | None = None) -> DemoJob:
        """A factura (33)."""
        goods = _SERVICES if company is CONSULTORA else _GOODS
        document = {
            "Encabezado": {"IdDoc": {"TipoDTE": 33, "FmaPago": 1}, "Receptor": self._receiver()},
            "Detalle": self._lines(goods),
        }
        job = self._job("factura", company, document, lane=lane)
        if replaces is not None:
            job["replaces"] = replaces
        return DemoJob(_body(job), job["idempotency_key"], company.rut, 33, valid=True)

    def boleta(self, company: Company, *, lane: str = "bulk") -> DemoJob:
        """A boleta (39) of an anonymous consumer, gross prices."""
        document = {"Encabezado": {"IdDoc": {"TipoDTE": 39}}, "Detalle": self._lines(_GOODS, 4)}
        job = self._job("boleta", company, document, lane=lane)
        return DemoJob(_body(job), job["idempotency_key"], company.rut, 39, valid=True)

    def note(self, original: dict[str, Any], sold: dict[str, Any], why: str) -> DemoJob:
        """A nota de crédito (61) that annuls an issued document: `original` is its result, `sold` its job."""
        document_type = original["type"]
        header: dict[str, Any] = {"IdDoc": {"TipoDTE": 61}}
        if document_type == BOLETA:  # the original gross lines are repeated
            header["IdDoc"]["MntBruto"] = 1
            header["Receptor"] = {
                "RUTRecep": "66666666-6",
                "RznSocRecep": "Consumidor final",
                "GiroRecep": "Particular",
                "DirRecep": "Sin dirección",
                "CmnaRecep": "Temuco",
            }
        else:
            header["Receptor"] = sold["document"]["Encabezado"]["Receptor"]
        document = {
            "Encabezado": header,
            "Detalle": sold["document"]["Detalle"],
            "Referencia": [
                {
                    "TpoDocRef": document_type,
                    "FolioRef": original["folio"],
                    "FchRef": original["issued_on"],
                    "CodRef": 1,
                    "RazonRef": why,
                }
            ],
        }
        company = next(company for company in COMPANIES if company.rut == original["issuer"])
        job = self._job("nota", company, document, lane="interactive")
        return DemoJob(_body(job), job["idempotency_key"], company.rut, 61, valid=True)

    def wrong(self) -> Iterator[DemoJob]:
        """One job of each kind of fault that a shop may commit."""

        def spoilt(why: str, change: Any, document_type: int = 33) -> DemoJob:
            good = self.invoice(FERRETERIA) if document_type == INVOICE else self.boleta(FERRETERIA)
            job = json.loads(good.body)
            job["idempotency_key"] = self._key("mala")
            change(job)
            return DemoJob(_body(job), job["idempotency_key"], FERRETERIA.rut, document_type, valid=False, why=why)

        def header(job: dict[str, Any]) -> dict[str, Any]:
            found: dict[str, Any] = job["document"]["Encabezado"]
            return found

        yield spoilt("receiver's RUT with a wrong digit", lambda j: header(j)["Receptor"].update(RUTRecep="12345678-9"))
        yield spoilt("unknown document type", lambda j: header(j)["IdDoc"].update(TipoDTE=99))
        yield spoilt("stated total doesn't agree", lambda j: header(j).update(Totales={"MntTotal": 1}))
        yield spoilt("no detail lines", lambda j: j["document"].update(Detalle=[]))
        yield spoilt("unknown tag", lambda j: header(j)["IdDoc"].update(FormaDePago=1))
        yield spoilt("negative price", lambda j: j["document"]["Detalle"][0].update(PrcItem=-5))
        yield spoilt("a date in the future", lambda j: header(j)["IdDoc"].update(FchEmis="2049-01-01"))
        yield spoilt("a NUL in a name", lambda j: j["document"]["Detalle"][0].update(NmbItem="Mar\x00tillo"))
        yield spoilt("an emoji in a name", lambda j: j["document"]["Detalle"][0].update(NmbItem="Martillo 🔨"))
        yield spoilt("receiver without address", lambda j: header(j)["Receptor"].pop("DirRecep"))
        yield spoilt("discount above the amount", lambda j: j["document"]["Detalle"][0].update(DescuentoMonto=10**9))
        yield spoilt("a boleta with an invoice's tag", lambda j: header(j)["IdDoc"].update(FmaPago=1), 39)
        yield spoilt("a note without its reference", lambda j: header(j)["IdDoc"].update(TipoDTE=61))
        yield spoilt("replaces a document that isn't there", lambda j: j.update(replaces="nunca-existio"))
        surrogate = self._key("mala")
        text = _body(json.loads(self.invoice(FERRETERIA).body) | {"idempotency_key": surrogate}).decode("utf-8")
        yield DemoJob(
            text.replace('"NmbItem": "', '"NmbItem": "\\ud800', 1).encode("utf-8"),
            surrogate,
            FERRETERIA.rut,
            33,
            valid=False,
            why="a lone surrogate in a name",
        )
        yield DemoJob(b"{not json", "", "", 0, valid=False, why="a message that is no JSON")
        yield DemoJob(b'["a", "list"]', "", "", 0, valid=False, why="a message that is no job")
        yield DemoJob(
            _body({"version": 1, "issuer": FERRETERIA.rut, "document": {}}), "", "", 0, valid=False, why="no key"
        )
