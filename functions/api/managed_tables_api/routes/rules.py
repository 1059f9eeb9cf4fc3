"""Routes of a table's rules: which rows break them, and which others the rows keep."""

from managed_tables import errors
from managed_tables_api.auth import Permission
from managed_tables_api.calls import KnownCompany, PathTable, Services, api_router, raises, requires
from managed_tables_api.http.requests import FromJson
from managed_tables_api.rows import rule_checks, rule_proposals

router = api_router("/{table_id:table}/rules", "Rules")


@router.post("/check", summary="Check rules", dependencies=requires(Permission.DATA_READ))
@raises(errors.INVALID_SCHEMA, errors.PATTERN_NOT_ALLOWED, errors.QUERY_TOO_HEAVY)
def check_rules(
    table: PathTable,
    body: FromJson[rule_checks.RulesToCheck],
    company: KnownCompany,
    services: Services,
) -> rule_checks.RuleChecksAnswer:
    """Count the rows that break each rule, the table's or those that are given, and show the first."""
    definition = table.definition
    if body.rules is None:
        return rule_checks.check_rules(table, definition.rules)
    return rule_checks.check_rules(
        table, services.table_operations.judged_rules(company, definition.columns, body.rules)
    )


@router.get("/proposals", summary="Propose rules", dependencies=requires(Permission.DATA_READ))
@raises(errors.QUERY_TOO_HEAVY)
def list_proposals(table: PathTable) -> rule_proposals.ProposalsAnswer:
    """Return rules that the rows keep, learned after three loads or 200 rows; none is imposed."""
    return rule_proposals.propose(table)


@router.post(
    "/proposals/dismiss",
    summary="Dismiss a proposal",
    status_code=204,
    dependencies=requires(Permission.UPDATE),
)
def dismiss_proposal(table: PathTable, body: FromJson[rule_proposals.Dismissal]) -> None:
    """End a proposal for good."""
    rule_proposals.dismiss(table, body.rule)
