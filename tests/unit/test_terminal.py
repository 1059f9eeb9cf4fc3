"""The command `managed-tables` where no deployment is needed."""

from pathlib import Path

import pytest

from managed_tables_command.login import Login, NotLoggedIn, find_login, keep_login


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("MANAGED_TABLES_URL", raising=False)
    monkeypatch.delenv("MANAGED_TABLES_TOKEN", raising=False)


def test_a_stored_token_goes_to_no_other_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lures a person into another `--url` does not get it."""
    keep_login(Login("https://ours", "secret"))
    assert find_login(None, None) == find_login("https://ours/", None) == Login("https://ours", "secret")
    for other in ("https://theirs", "https://ours.theirs", "http://ours"):
        with pytest.raises(NotLoggedIn, match=f"o token para {other}"):
            find_login(other, None)
    monkeypatch.setenv("MANAGED_TABLES_URL", "https://theirs")
    with pytest.raises(NotLoggedIn):
        find_login(None, None)
    monkeypatch.setenv("MANAGED_TABLES_TOKEN", "theirs")
    assert find_login(None, None) == Login("https://theirs", "theirs")
