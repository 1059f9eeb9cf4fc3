"""What a change of a table's columns means for the loads that can be taken back, and for the history."""

from managed_tables.databases.connecting import PgConnection
from managed_tables.history.recording import record_renames
from managed_tables.tables.columns.column_plan import ColumnPlan
from managed_tables.tables.keeping import forget_table, rename_kept_columns


def follow_columns(connection: PgConnection, table_id: str, plan: ColumnPlan) -> None:
    """Rename the columns of kept rows as the table's own, in the transaction that changes them.

    A change of type rewrites every row: which of them somebody has changed is lost, and earlier loads can no
    longer be undone.
    """
    aside = [(old, f"${number}") for number, (old, _) in enumerate(plan.renamed)]
    back = [(f"${number}", new) for number, (_, new) in enumerate(plan.renamed)]
    renames = [*plan.hidden, *aside, *back]
    record_renames(connection, table_id, renames)
    if plan.converted:
        forget_table(connection, table_id)
    rename_kept_columns(connection, table_id, renames)
