"""Proofs of the catalogue of faults: for each id, what the simulator does when it is switched on, or by itself.

Each module has a table from id to proof; `test_faults_catalogue` runs them all and notices an id that has none.
"""
