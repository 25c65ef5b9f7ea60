"""The invented companies of the demo: what each trades in, and so which types of documents it issues.

A hardware store, a consultancy, a grocer, a school (all it does is exempt), a mill that buys grain from farmers and
exports, and an auction house that sells cattle for others.
"""

from typing import Final

from deploy.sandbox.people import Company, rut

COMPANIES: Final = (
    Company(
        rut=rut(76_900_101),
        razon_social="FERRETERÍA EL ÑANDÚ LTDA.",
        giro="Venta al por menor de artículos de ferretería",
        acteco=475201,
        dir_origen="Av. O'Higgins 1234",
        cmna_origen="Chillán",
        ciudad_origen="Chillán",
        types=(33, 39, 52, 56, 61),
    ),
    Company(
        rut=rut(77_654_321),
        razon_social="CONSULTORA PÉREZ & HIJOS SPA",
        giro="Asesorías informáticas",
        acteco=620200,
        dir_origen="Los Aromos 45, Of. 301",
        cmna_origen="Providencia",
        ciudad_origen="Santiago",
        types=(33, 61),
    ),
    Company(
        rut=rut(78_765_432),
        razon_social="ALMACENES DON TITO S.A.",
        giro="Almacén y minimercado",
        acteco=472101,
        dir_origen="Caupolicán 890",
        cmna_origen="Temuco",
        ciudad_origen="Temuco",
        types=(33, 39, 61),
    ),
    Company(
        rut=rut(70_345_678),
        razon_social="FUNDACIÓN EDUCACIONAL LOS COPIHUES",
        giro="Enseñanza preescolar, primaria y secundaria",
        acteco=852110,
        dir_origen="Manuel Rodríguez 355",
        cmna_origen="Valdivia",
        ciudad_origen="Valdivia",
        types=(34, 41, 56, 61),
    ),
    Company(
        rut=rut(79_234_567),
        razon_social="MOLINO Y EXPORTADORA SANTA ELVIRA S.A.",
        giro="Molienda de trigo y exportación de alimentos",
        acteco=106101,
        dir_origen="Camino a Coihueco km 4",
        cmna_origen="Chillán",
        ciudad_origen="Chillán",
        types=(46, 52, 56, 61, 110, 111, 112),
    ),
    Company(
        rut=rut(78_111_222),
        razon_social="FERIA DE REMATES OSORNO LTDA.",
        giro="Corredores de ganado",
        acteco=461001,
        dir_origen="Ruta U-40 km 2",
        cmna_origen="Osorno",
        ciudad_origen="Osorno",
        types=(43, 56, 61),
    ),
)
FERRETERIA, CONSULTORA, ALMACENES, COLEGIO, MOLINO, FERIA = COMPANIES

CUSTOMERS: Final = (
    ("CONSTRUCTORA LOS ÁLAMOS S.A.", "Construcción de edificios", "Camino El Alba 9500", "Las Condes"),
    ("PANADERÍA LA ESPIGA LTDA.", "Elaboración de pan", "Colo Colo 77", "Concepción"),
    ("MUNICIPALIDAD DE PEÑAFLOR", "Administración pública", "Alcalde Luis Araya 1215", "Peñaflor"),
    ("J. MUÑOZ Y CÍA.", "Transporte de carga", "Ruta 5 Sur km 411", "San Carlos"),
)
FARMERS: Final = (
    ("PEDRO PABLO SEPÚLVEDA RÍOS", "Cultivo de trigo", "Fundo El Peumo s/n", "San Carlos"),
    ("SUCESIÓN ÑANCUPIL", "Cultivo de legumbres", "Camino a Pinto km 8", "Coihueco"),
    ("GANADERA RÍO BUENO LTDA.", "Cría de ganado bovino", "Hijuela 3", "Río Bueno"),
)
BUYERS_ABROAD: Final = (
    ("GREAT LAKES FOODS INC.", "Food importer", "450 Market Street", "Philadelphia", "US-36-4418821", 225, 135),
    ("ROTTERDAM GRAIN & FRUIT B.V.", "Wholesale", "Waalhaven 21", "Rotterdam", "NL8123.45.678", 515, 622),
)
"""Name, line of business, street, town, number of identity, and customs' codes of the country and its port."""
