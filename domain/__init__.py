"""The field: electronic tax documents (DTE) of Chile, as the SII defines them. Pure: no input or output.

Whatever must be known of the world (the day, the issuer, a referenced document, keys) comes in as an argument.
"""
