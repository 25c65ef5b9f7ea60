"""The stamp: its text, its cuts, and figures computed elsewhere."""

import base64
import datetime as dt
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from domain.caf import SII_PUBLIC_KEYS, StampingCaf, frma_valid, read_authorisation, read_caf
from domain.stamp import build_stamp, local_timestamp, stamp_data, stamp_name
from tests.unit.domain import material

STAMPED_AT = dt.datetime(2026, 11, 24, 13, 15, 0, tzinfo=dt.UTC)

OFFICIAL_EXAMPLE = (
    "<DD><RE>97975000-5</RE><TD>33</TD><F>60</F><FE>2003-10-13</FE><RR>77777777-7</RR><RSR>EMPRESA  LTDA</RSR>"
    '<MNT>119000</MNT><IT1>Parlantes Multimedia 180W.</IT1><CAF version="1.0"><DA><RE>97975000-5</RE>'
    "<RS>RUT DE PRUEBA</RS><TD>33</TD><RNG><D>1</D><H>200</H></RNG><FA>2003-09-04</FA><RSAPK>"
    "<M>0a4O6Kbx8Qj3K4iWSP4w7KneZYeJ+g/prihYtIEolKt3cykSxl1zO8vSXu397QhTmsX7SBEudTUx++2zDXBhZw==</M><E>Aw==</E>"
    '</RSAPK><IDK>100</IDK></DA><FRMA algoritmo="SHA1withRSA">g1AQX0sy8NJugX52k2hTJEZAE9Cuul6pqYBdFxj1N17umW7zG/'
    "hAavCALKByHzdYAfZ3LhGTXCai5zNxOo4lDQ==</FRMA></CAF><TSTED>2003-10-13T09:33:20</TSTED></DD>"
).encode("ascii")
"""The flat DD of the SII's published example, F60T33."""
OFFICIAL_FRMT = "GbmDcS9e/jVC2LsLIe1iRV12Bf6lxsILtbQiCkh6mbjckFCJ7fj/kakFTS06Jo8iS4HXvJj3oYZuey53Krniew=="


def _sale(name: str = "Cliente", item: str = "Clavos") -> material.Stamped:
    return material.Stamped("97975000-5", 33, dt.date(2026, 11, 24), "77777777-7", name, "111480", item)


@pytest.fixture
def golden_caf(golden: Path) -> StampingCaf:
    caf = read_caf((golden / "caf-33.xml").read_bytes())
    return StampingCaf.load(caf.caf_xml, caf.private_key_der)


def test_stamp_has_the_bytes_that_were_computed_elsewhere(golden: Path, golden_caf: StampingCaf) -> None:
    sale = _sale("Servicio & Compañía Núñez Limitada de Nombre Largo", "Cajón de fruta 1/2 <selección>")
    data = stamp_data(sale, folio=7, caf=golden_caf, at=STAMPED_AT)
    assert (len(data), hashlib.sha1(data).hexdigest()) == (652, "90be05b69e737d0b4513ecd0b4c20dc9b7c19489")  # noqa: S324
    stamp = build_stamp(sale, folio=7, caf=golden_caf, at=STAMPED_AT)
    frmt = b"pTaI4rJmf1MzV3FkIUyP+kJuWHOjhZhoRJnPhu3PJw/yGeR6C+fLIQ3u/BekvpMVkRy6bij2Ac9T9YBwoKdzpw=="
    assert stamp.endswith(b'<FRMT algoritmo="SHA1withRSA">' + frmt + b"</FRMT></TED>")
    assert stamp in (golden / "envio-dte-33.xml").read_bytes()


def test_official_example_verifies_and_its_text_is_ours() -> None:
    assert len(OFFICIAL_EXAMPLE) == 592
    assert hashlib.sha1(OFFICIAL_EXAMPLE).hexdigest() == "35f9c699d6a2911ca05205570dd2ce753b881ac8"  # noqa: S324
    caf_xml = OFFICIAL_EXAMPLE[OFFICIAL_EXAMPLE.index(b"<CAF ") : OFFICIAL_EXAMPLE.index(b"</CAF>") + 6]
    caf = read_authorisation(b"<AUTORIZACION>" + caf_xml + b"</AUTORIZACION>")
    assert caf.caf_xml == caf_xml
    assert hashlib.sha1(caf.signed).hexdigest() == "9a2115cc03e05f99a996fbce47c4554905d75d1d"  # noqa: S324
    assert frma_valid(caf, SII_PUBLIC_KEYS) is True
    assert frma_valid(caf, {100: SII_PUBLIC_KEYS[300]}) is False
    rsa.RSAPublicNumbers(caf.exponent, caf.modulus).public_key().verify(
        base64.b64decode(OFFICIAL_FRMT),
        OFFICIAL_EXAMPLE,
        padding.PKCS1v15(),
        hashes.SHA1(),  # noqa: S303  (fixed by the SII)
    )

    stamping = StampingCaf(caf_xml, material.short_key())
    sale = material.Stamped(
        "97975000-5", 33, dt.date(2003, 10, 13), "77777777-7", "EMPRESA  LTDA", "119000", "Parlantes Multimedia 180W."
    )
    at = dt.datetime(2003, 10, 13, 12, 33, 20, tzinfo=dt.UTC)  # Chile's summer time began on the day before
    assert stamp_data(sale, folio=60, caf=stamping, at=at) == OFFICIAL_EXAMPLE


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x" * 41, "x" * 40),
        ("&" * 41, "&amp;" * 40),
        ("Ñ" * 39 + " z", "Ñ" * 39),
        ("dos  blancos", "dos  blancos"),
        ("Monitor 24\" d'or", "Monitor 24\" d'or"),
        ("a\tb\nc\rd", "a b c d"),
        ("a < b > c", "a &lt; b &gt; c"),
        ("\"'", "\"'"),
        (" \n ", "Cliente"),
        ("", "Cliente"),
        (' "Uno"', ' "Uno"'),
    ],
)
def test_names_are_cleaned_cut_and_then_escaped(text: str, written: str) -> None:
    assert stamp_name(text, "Cliente") == written


def test_total_stands_as_the_document_writes_it(golden_caf: StampingCaf) -> None:
    assert b"<MNT>111480</MNT>" in stamp_data(_sale(), folio=7, caf=golden_caf, at=STAMPED_AT)


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2026-07-01T12:00:00", "2026-07-01T08:00:00"),
        ("2026-11-24T12:00:00", "2026-11-24T09:00:00"),
        ("2026-11-24T02:59:59", "2026-11-23T23:59:59"),
    ],
)
def test_time_is_chiles(utc: str, local: str) -> None:
    assert local_timestamp(dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)) == local


def test_time_without_zone_is_nobodys() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local_timestamp(dt.datetime(2026, 11, 24, 10))  # noqa: DTZ001  (that is the mistake)


def test_names_that_hold_nothing_are_replaced_in_the_stamp(golden_caf: StampingCaf) -> None:
    data = stamp_data(_sale(" ", " "), folio=7, caf=golden_caf, at=STAMPED_AT)
    assert b"<RSR>Cliente</RSR>" in data
    assert b"<IT1>Item</IT1>" in data
