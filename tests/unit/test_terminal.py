"""The command `managed-tables` where no deployment is needed."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import h11
import httpx
import pytest
from rich.console import Console

from managed_tables_analyze import cli
from managed_tables_command import shown
from managed_tables_command.api import Api, Json, Login, Refused, find_login, keep_login
from managed_tables_command.shown import show_explained
from managed_tables_operations import __main__ as operations


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MANAGED_TABLES_URL", raising=False)
    monkeypatch.delenv("MANAGED_TABLES_TOKEN", raising=False)


def test_a_stored_token_goes_to_no_other_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lures a person into another `--url` does not get it."""
    keep_login(Login("https://ours", "secret"))
    for ours in (None, "https://ours/", "https://ours/v1/managed-tables"):
        assert find_login(ours, None) == Login("https://ours", "secret")
    for other in ("https://theirs", "https://ours.theirs", "http://ours"):
        with pytest.raises(Refused, match=f"o token para {other}"):
            find_login(other, None)
    monkeypatch.setenv("MANAGED_TABLES_URL", "https://theirs")
    with pytest.raises(Refused):
        find_login(None, None)
    monkeypatch.setenv("MANAGED_TABLES_TOKEN", "theirs")
    assert find_login(None, None) == Login("https://theirs", "theirs")
    with pytest.raises(Refused, match=r"^[^ü]*$"):  # what it is, is not shown
        Login("https://ours", "sü")


def test_a_load_is_followed_over_a_broken_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    working, done = (httpx.Response(200, json={"status": status}) for status in ("inserting", "done"))
    request = Mock(side_effect=[working, *[httpx.ReadError("")] * 4, done])
    assert Api(Login("https://ours", "x"), Mock(request=request)).poll("/", ["done"]) == {"status": "done"}


def test_a_file_that_grows_while_it_is_sent_is_refused() -> None:
    http = Mock(post=Mock(side_effect=h11.LocalProtocolError("Too much data")))
    with pytest.raises(Refused, match="mudou"):
        Api(Login("https://ours", "x"), http).post_file({"url": "", "fields": {}, "name": "a.csv"}, BytesIO())


@pytest.mark.parametrize("name", ["ausente.csv", "nota.pdf"])
def test_a_file_that_is_refused_is_a_failure(
    tmp_path: Path, name: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A script that goes on after `analyze` goes on with a table."""
    (tmp_path / "nota.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n")
    (tmp_path / "vendas.csv").write_text("a;b\n1;2\n")
    assert cli.main([str(tmp_path / "vendas.csv")]) == 0
    assert cli.main([str(tmp_path / name), str(tmp_path / "vendas.csv")]) == 1
    assert capfdbinary.readouterr().out.count(b"\n") == 3


def test_no_word_is_cut_in_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of the command itself; what users have written may be folded."""
    (tmp_path / "vendas do mês.csv").write_text("produto;valor\n" + "Café;1,50\n" * 30)
    results: list[dict[str, Any]] = []
    cli.main(["--explain", str(tmp_path / "vendas do mês.csv")], results.append)
    console = Console(width=80, record=True)
    monkeypatch.setattr(shown, "console", console)
    show_explained(results[0])
    name, label = "n" * 63, "Uma coluna de nome comprido"
    schema: Json = {
        "suggested_table_name": "vendas",
        "columns": [{"name": name, "display_name": label, "type": "datetime", "nullable": False}],
        "sample_rows": [{name: "2026-01-31T10:30:00Z"}] * 3,
        "total_row_count_estimate": 1,
    }
    shown.show_review(schema, [])
    words = set(re.findall(r"[^\W\d]{3,}", console.export_text()))
    assert {"codificação", "separador", "cabeçalho", "Vazios", "Exemplos", "datetime", "linha"} <= words
    assert "linhas" in words


def test_an_operators_command_without_its_environment_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TABLE_NAME", "BUCKET_NAME"):
        monkeypatch.delenv(name, raising=False)
    assert operations.main(["deleted-tables", "--company", "507f1f77bcf86cd799439012"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: missing or wrong in the environment: TABLE_NAME, BUCKET_NAME")
    assert "docs/operations.md" in told
