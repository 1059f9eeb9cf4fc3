"""Look at one copy of a company's database on one cluster: its generation, its door, its end.

A company that has moved has a copy on each cluster that it was on. Each says its generation, which every move
and every restore raises: the highest is the company's, whatever was brought back since.
"""

import time

from managed_tables.databases.connecting import CompanyRoles, Databases, PgConnection, fetch_number
from managed_tables.databases.roles import end_sessions
from managed_tables.databases.statements import execute
from managed_tables.errors import DATABASE_UNAVAILABLE, ApiError

SHUT_SECONDS = 20.0  # until every session that was there has ended
_PAUSE_SECONDS = 0.1
# Also by itself: a database of an earlier release has no such column until it is migrated.
GENERATION_COLUMN = (
    "ALTER TABLE managed_tables.company ADD COLUMN IF NOT EXISTS generation bigint NOT NULL DEFAULT 0"
)


def find_generation(databases: Databases, cluster: str, roles: CompanyRoles) -> int | None:
    """Return the generation of the copy there; None where there is none, or one that was never complete.

    Raises DATABASE_UNAVAILABLE where the cluster is away.
    """
    with databases.open_admin_connection(cluster) as admin:
        if not is_there(admin, roles):
            return None
    with databases.open_admin_connection(cluster, roles.database) as inside:
        execute(inside, "SET ROLE {:i}", roles.owner)
        return read_generation(inside)


def is_there(admin: PgConnection, roles: CompanyRoles) -> bool:
    """Return whether the cluster has a database of this name that can be connected to."""
    query = "SELECT count(*) FROM pg_database WHERE datname = %s AND datallowconn"
    return bool(fetch_number(admin, query, roles.database))


def read_generation(inside: PgConnection) -> int | None:
    """Return what the database says its generation is; None where it does not say whose it is."""
    if not fetch_number(inside, "SELECT count(to_regclass('managed_tables.company'))"):
        return None
    # By way of JSON: a database of an earlier release has no such column
    row = inside.execute(
        "SELECT coalesce((to_jsonb(company) ->> 'generation')::bigint, 0) FROM managed_tables.company"
    ).fetchone()
    return None if row is None else int(row[0])


def write_generation(databases: Databases, cluster: str, roles: CompanyRoles, generation: int) -> None:
    """Have the copy there say that this is its generation."""
    with databases.open_admin_connection(cluster, roles.database) as inside, inside.transaction():
        execute(inside, "SET LOCAL ROLE {:i}", roles.owner)
        inside.execute(GENERATION_COLUMN)
        inside.execute("UPDATE managed_tables.company SET generation = %s", [generation])


def allow_login(admin: PgConnection, roles: CompanyRoles, *, allowed: bool) -> None:
    """Let the company's roles log in on this cluster, or no longer; sessions that they have stay."""
    form = "ALTER ROLE {:i} LOGIN" if allowed else "ALTER ROLE {:i} NOLOGIN"
    for role in present_roles(admin, roles):
        execute(admin, form, role)


def present_roles(admin: PgConnection, roles: CompanyRoles) -> list[str]:
    """Return those of the company's roles that the cluster has."""
    query = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) ORDER BY rolname"
    return [str(name) for (name,) in admin.execute(query, [[roles.owner, roles.reader]]).fetchall()]


def shut(admin: PgConnection, roles: CompanyRoles) -> None:
    """Lock the company out of its database there, and wait until no session of its roles is left.

    Raises DATABASE_UNAVAILABLE where one does not end.
    """
    allow_login(admin, roles, allowed=False)
    ends_at = time.monotonic() + SHUT_SECONDS
    while count_sessions(admin, roles):
        if time.monotonic() > ends_at:
            raise ApiError(DATABASE_UNAVAILABLE)
        for role in present_roles(admin, roles):
            end_sessions(admin, role)
        time.sleep(_PAUSE_SECONDS)


def count_sessions(admin: PgConnection, roles: CompanyRoles) -> int:
    """Return how many sessions the company's roles have."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = ANY(%s)"
    return fetch_number(admin, query, [roles.owner, roles.reader])


def drop_copy(databases: Databases, cluster: str, roles: CompanyRoles) -> bool:
    """Drop the company's database and roles there; return whether there was anything. Repeatable."""
    with databases.open_admin_connection(cluster) as admin:
        present = present_roles(admin, roles)
        made = fetch_number(admin, "SELECT count(*) FROM pg_database WHERE datname = %s", roles.database)
        allow_login(admin, roles, allowed=False)
        for role in present:
            end_sessions(admin, role)
        execute(admin, "DROP DATABASE IF EXISTS {:i} WITH (FORCE)", roles.database)
        for role in present:
            execute(admin, "DROP ROLE {:i}", role)
    return bool(made or present)
