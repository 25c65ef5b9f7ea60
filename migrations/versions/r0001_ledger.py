"""The whole ledger: clock, companies, folios, documents, envelopes, processes, roles.

Each area is a file of SQL in `r0001/`, run in the order of its number.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything; one transaction."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the ledger is made over a live connection, not written to a script")
    for file in sorted((Path(__file__).parent / "r0001").glob("*.sql")):
        driver.execute(file.read_text(encoding="utf-8"))
