"""The official formats as data: every tag of a document in the schema's order, with its kind, size and obligation.

The same tables serve to read what a producer wrote and to write what the SII gets. Sources: DTE_v10.xsd,
SiiTypes_v10.xsd and EnvioBOLETA_v11.xsd of the SII; SII, Formato DTE 2.5 (2026-02); SII, Formato Boletas 4.2 (2025-09).
"""
