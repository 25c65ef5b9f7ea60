"""What the demo's companies sell: documents of every type but notes, as a producer writes them.

Amounts, VAT, taxes and totals are left to FMgo; what only the trade can know is stated: what VAT of grain is kept,
commissions of an auction, the customs data of a container, who drives the goods where. Codes of customs are those of
Servicio Nacional de Aduanas, Compendio de Normas Aduaneras, Anexo 51.
"""

import datetime as dt
from random import Random
from typing import Any, Final

from deploy.sandbox.companies import BUYERS_ABROAD, CUSTOMERS, FARMERS
from deploy.sandbox.people import rut

Document = dict[str, Any]

GOODS: Final = (
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
SERVICES: Final = (
    ("Asesoría en línea, hora", 35_000),
    ("Mantención mensual de servidores", 180_000),
    ("Diseño de página web", 450_000),
    ("Capacitación Excel avanzado", 95_000),
)
FEES: Final = (
    ("Colegiatura mensual, 4º básico", 185_000),
    ("Matrícula año escolar 2027", 240_000),
    ("Taller de ciencias, semestre", 62_500),
)
# Grain and pulses that farmers bring, with the code of the VAT that the mill keeps (part of it, or all).
_HARVEST: Final = (
    ("Trigo candeal, quintal", 27_500, "34"),
    ("Trigo blanco, quintal", 24_800, "341"),
    ("Lentejas 6 mm, quintal", 98_000, "301"),
    ("Chatarra de maquinaria, kg", 180, "38"),
)
_CATTLE: Final = (("Novillos gordos", 1_240_000), ("Vacas de engorda", 860_000), ("Terneros", 520_000))
_EXPORTED: Final = (("Wheat flour 25 kg, sacks", "11.85"), ("Dried plums, carton 10 kg", "38.4"))
DOLLAR: Final = "952.37"
"""Pesos for a dollar on the demo's day (TpoCambio)."""


def receiver(random: Random, among: tuple[tuple[str, str, str, str], ...] = CUSTOMERS) -> Document:
    """A customer, or a farmer who sells."""
    name, giro, address, comuna = random.choice(among)
    return {
        "RUTRecep": rut(random.randint(5_000_000, 25_000_000)),
        "RznSocRecep": name,
        "GiroRecep": giro,
        "DirRecep": address,
        "CmnaRecep": comuna,
    }


def lines(random: Random, goods: tuple[tuple[str, int], ...], most: int = 5) -> list[Document]:
    """Some lines, a fifth of them with a discount."""
    made = []
    for name, price in random.choices(goods, k=random.randint(1, most)):
        line: Document = {"NmbItem": name, "QtyItem": random.randint(1, 6), "PrcItem": price}
        if random.random() < 0.2:  # noqa: PLR2004 - a fifth of the lines
            line["DescuentoPct"] = random.choice([5, 10, 15])
        made.append(line)
    return made


def exempt_invoice(random: Random) -> Document:
    """A factura exenta (34): a municipality pays for pupils."""
    header = {"IdDoc": {"TipoDTE": 34, "FmaPago": 2}, "Receptor": receiver(random)}
    return {"Encabezado": header, "Detalle": lines(random, FEES, 3)}


def exempt_boleta(random: Random) -> Document:
    """A boleta exenta (41): a family pays a fee."""
    name, price = random.choice(FEES)
    return {"Encabezado": {"IdDoc": {"TipoDTE": 41}}, "Detalle": [{"NmbItem": name, "QtyItem": 1, "PrcItem": price}]}


def purchase(random: Random) -> Document:
    """A factura de compra (46): the mill issues it for a farmer's harvest and keeps VAT."""
    name, price, code = random.choice(_HARVEST)
    line = {"NmbItem": name, "QtyItem": random.randint(20, 400), "PrcItem": price, "CodImpAdic": code}
    header = {"IdDoc": {"TipoDTE": 46}, "Receptor": receiver(random, FARMERS)}
    return {"Encabezado": header, "Detalle": [line]}


def settlement(random: Random) -> Document:
    """A liquidación factura (43): what an auction brought the cattle's owner, less commission and the yard's fee."""
    sold = random.sample(_CATTLE, k=random.randint(1, len(_CATTLE)))
    detail: list[Document] = [
        {"TpoDocLiq": "33", "NmbItem": name, "MontoItem": price * random.randint(2, 9)} for name, price in sold
    ]
    brought = sum(int(line["MontoItem"]) for line in detail)
    charges = [
        {
            "TipoMovim": "C",
            "Glosa": "Comisión de remate",
            "TasaComision": 4,
            "ValComNeto": brought * 4 // 100,
            "ValComExe": 0,
        },
        {"TipoMovim": "O", "Glosa": "Derecho de piso", "ValComNeto": 25_000, "ValComExe": 0},
    ]
    header = {"IdDoc": {"TipoDTE": 43, "FmaPago": 1}, "Receptor": receiver(random, FARMERS)}
    return {"Encabezado": header, "Detalle": detail, "Comisiones": charges}


def _carriage(random: Random, day: dt.date, to: tuple[str, str]) -> Document:
    """Who drives the goods there: what goods travel with since 2026-11-01."""
    return {
        "Patente": random.choice(["KRXT41", "LHBB90", "PJSW27"]),
        "RUTTrans": rut(76_444_333),
        "Chofer": {"RUTChofer": rut(14_555_666), "NombreChofer": "Óscar Iván Peña Soto"},
        "DirDest": to[0],
        "CmnaDest": to[1],
        "FchSalida": day.isoformat(),
        "HraSalida": f"{random.randint(8, 18):02}:30:00",
    }


def guide(random: Random, day: dt.date) -> Document:
    """A guía de despacho (52) of goods that are sold and go to the customer's site; a few without a known vehicle."""
    customer = receiver(random)
    detail = [{**line, "UnmdItem": "UN"} for line in lines(random, GOODS, 4)]
    carriage = _carriage(random, day, (customer["DirRecep"], customer["CmnaRecep"]))
    if random.random() < 0.25:  # noqa: PLR2004 - a quarter of them
        for tag in ("Patente", "RUTTrans", "Chofer"):
            del carriage[tag]
        detail[0]["DscItem"] = "Se desconoce el vehículo y su conductor: retira un transporte del cliente"
    id_doc = {"TipoDTE": 52, "FchEmis": day.isoformat(), "TipoDespacho": 2, "IndTraslado": 1}
    return {"Encabezado": {"IdDoc": id_doc, "Receptor": customer, "Transporte": carriage}, "Detalle": detail}


def transfer(random: Random, day: dt.date) -> Document:
    """A guía (52) of goods that go from the store to its own warehouse: no sale, no prices."""
    detail = [{"NmbItem": name, "QtyItem": 12, "UnmdItem": "UN"} for name, _ in random.sample(GOODS, k=3)]
    carriage = _carriage(random, day, ("Bodega 7, Ruta 5 Sur km 405", "Chillán Viejo"))
    id_doc = {"TipoDTE": 52, "FchEmis": day.isoformat(), "TipoDespacho": 3, "IndTraslado": 5}
    return {"Encabezado": {"IdDoc": id_doc, "Transporte": carriage}, "Detalle": detail}


def to_the_port(random: Random, day: dt.date) -> Document:
    """A guía (52) of goods on their way to the ship, still the mill's own (IndTraslado 8)."""
    weight = random.randint(9, 20) * 1_000
    carriage = _carriage(random, day, ("Terminal Pacífico, sitio 3", "Valparaíso"))
    carriage["Aduana"] = {
        "CodPtoEmbarque": 905,
        "CodUnidMedTara": 6,
        "PesoBruto": weight,
        "CodUnidPesoBruto": 6,
        "TotBultos": 1,
        "TipoBultos": [_container(random)],
    }
    id_doc = {"TipoDTE": 52, "FchEmis": day.isoformat(), "TipoDespacho": 3, "IndTraslado": 8}
    customer = receiver(random) | {"RznSocRecep": "TERMINAL PACÍFICO SUR S.A.", "GiroRecep": "Servicios portuarios"}
    return {
        "Encabezado": {
            "IdDoc": id_doc,
            "Emisor": {"GuiaExport": {"CdgTraslado": 1}},
            "Receptor": customer,
            "Transporte": carriage,
        },
        "Detalle": [{"NmbItem": _EXPORTED[0][0], "QtyItem": weight // 25, "UnmdItem": "SC"}],
    }


def _container(random: Random) -> Document:
    return {
        "CodTpoBultos": 73,
        "CantBultos": 1,
        "IdContainer": f"MSKU{random.randint(10**6, 10**7 - 1)}",
        "Sello": f"CL{random.randint(10**5, 10**6 - 1)}",
        "EmisorSello": "Servicio Nacional de Aduanas",
    }


def export(random: Random) -> Document:
    """A factura de exportación (110) in dollars: goods, freight and insurance, a container, where it goes."""
    name, giro, street, town, number, country, port = random.choice(BUYERS_ABROAD)
    goods, price = random.choice(_EXPORTED)
    quantity = random.randint(300, 800)
    freight, insurance = random.randint(150_000, 420_000), random.randint(10_000, 60_000)
    weight = quantity * 25
    customs = {
        "CodModVenta": 1,
        "CodClauVenta": 1,
        "TotClauVenta": _dollars(quantity * int(float(price) * 100) + freight + insurance),
        "CodViaTransp": 1,
        "NombreTransp": "MSC ANTOFAGASTA",
        "CodPtoEmbarque": 905,
        "CodPtoDesemb": port,
        "PesoBruto": weight,
        "CodUnidPesoBruto": 6,
        "TotBultos": 1,
        "TipoBultos": [_container(random)],
        "MntFlete": _dollars(freight),
        "MntSeguro": _dollars(insurance),
        "CodPaisRecep": country,
        "CodPaisDestin": country,
    }
    return {
        "Encabezado": {
            "IdDoc": {"TipoDTE": 110, "FmaPagExp": 1},
            "Receptor": {
                "RznSocRecep": name,
                "GiroRecep": giro,
                "DirRecep": street,
                "CiudadRecep": town,
                "Extranjero": {"NumId": number, "Nacionalidad": str(country)},
            },
            "Transporte": {"Aduana": customs},
            "Totales": {"TpoMoneda": "DOLAR USA"},
            "OtraMoneda": {"TpoMoneda": "PESO CL", "TpoCambio": DOLLAR},
        },
        "Detalle": [{"NmbItem": goods, "QtyItem": quantity, "UnmdItem": "U", "PrcItem": price}],
        "DscRcgGlobal": [
            {"TpoMov": "R", "GlosaDR": "Freight", "TpoValor": "$", "ValorDR": _dollars(freight)},
            {"TpoMov": "R", "GlosaDR": "Insurance", "TpoValor": "$", "ValorDR": _dollars(insurance)},
        ],
    }


def _dollars(cents: int) -> str:
    """An amount in dollars as the format writes it: no zeros at the end."""
    return f"{cents // 100}.{cents % 100:02}".rstrip("0").rstrip(".")


def late(document: Document, day: dt.date) -> Document:
    """The same, of a day that is past: somebody forgot it in a drawer."""
    header = document["Encabezado"]
    return {**document, "Encabezado": {**header, "IdDoc": {**header["IdDoc"], "FchEmis": day.isoformat()}}}


def invoice(random: Random, goods: tuple[tuple[str, int], ...]) -> Document:
    """A factura (33)."""
    header = {"IdDoc": {"TipoDTE": 33, "FmaPago": 1}, "Receptor": receiver(random)}
    return {"Encabezado": header, "Detalle": lines(random, goods)}


def boleta(random: Random) -> Document:
    """A boleta (39) of an anonymous consumer, gross prices."""
    return {"Encabezado": {"IdDoc": {"TipoDTE": 39}}, "Detalle": lines(random, GOODS, 4)}
