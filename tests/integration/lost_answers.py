"""Break a connection after PostgreSQL has done what it was asked, and before it has said so."""

from typing import Any

import psycopg
import pytest


def lose_the_first_answer(monkeypatch: pytest.MonkeyPatch, of: bytes) -> list[bytes]:
    """Break the connection after the first such statement runs; the list then has the statement."""
    execute, lost = psycopg.Connection.execute, list[bytes]()

    def lose_the_first(connection: Any, statement: Any, *arguments: Any, **named: Any) -> Any:
        found = execute(connection, statement, *arguments, **named)
        if isinstance(statement, bytes) and of in statement and not lost:
            lost.append(statement)
            connection.pgconn.finish()
            raise psycopg.OperationalError("the connection broke before the answer")
        return found

    monkeypatch.setattr(psycopg.Connection, "execute", lose_the_first)
    return lost


def lose_the_first_commit(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Break the connection after the first transaction ends; the list then has one item."""
    end, lost = psycopg.Transaction.__exit__, list[bool]()

    def lose_the_first(transaction: psycopg.Transaction, *error: Any) -> bool:
        ended = end(transaction, *error)
        if not lost:
            lost.append(True)
            transaction.connection.pgconn.finish()
            raise psycopg.OperationalError("the connection broke before the answer")
        return ended

    monkeypatch.setattr(psycopg.Transaction, "__exit__", lose_the_first)
    return lost
