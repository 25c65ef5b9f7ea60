"""Code tables of the SII as data, each with its source."""
