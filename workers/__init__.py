"""The machinery the phases stand on: settings, time, logs, ledger, cache, vault and the client of the SII."""
