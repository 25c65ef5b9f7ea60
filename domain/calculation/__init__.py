"""The arithmetic: lines, classes of lines, global discounts, taxes and totals, computed from what was sold.

FMgo owns it. What a producer states is compared with what comes out; differences are findings under the id of a rule
(domain/rules says each rule's sentence). Halves are rounded away from zero at the steps that the format names: the
line's product, each discount and surcharge, each tax, the net of a gross amount. Sources: SII, Formato DTE 2.5 (fields
of zones B and D, field 124); SII, Formato Boletas 4.2.
"""
