"""No secret is committed: every file is searched for patterns of keys and passwords."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATTERNS = {
    "a key id of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
    "a token of PyPI": r"\bpypi-[A-Za-z0-9_-]{40,}\b",
    "a token of Slack": r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    "a password in a URL": r"\b[a-z+]+://[^\s:/@\"'{}<>$]+:[^\s:/@\"'{}<>$*]{6,}@(?!127\.0\.0\.1|localhost|host)",
    "a secret of AWS": r"(?i)aws_secret_access_key\s*[=:]\s*[\"']?[A-Za-z0-9/+]{40}\b",
    "a long secret": r"(?i)\b(?:password|secret|api_key|token)\s*[=:]\s*[\"'][A-Za-z0-9+/_-]{32,}[\"']",
}
IN_TESTS_TOO = PATTERNS.keys() - {"a long secret"}  # tests make up their own
BINARY = {".xls", ".xlsx", ".zip", ".png", ".gz", ".parquet", ".xlsb", ".ods", ".xlsm"}


def committed() -> list[Path]:
    """Return the files that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def test_no_secret_is_committed() -> None:
    patterns = {what: re.compile(pattern) for what, pattern in PATTERNS.items()}
    found = []
    for path in committed():
        if path.suffix in BINARY or not path.is_file() or path == Path(__file__):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        sought = IN_TESTS_TOO if "tests" in path.parts else PATTERNS.keys()
        found += [f"{path.name}: {what}" for what in sought if patterns[what].search(text)]
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    """A check that never finds anything proves nothing."""
    examples = {
        "a key id of AWS": "AKIA" + "A1B2" * 4,
        "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
        "a token of GitHub": "ghp_" + "a" * 36,
        "a password in a URL": "postgresql://app:" + "hunter22@db.example.com",
        "a long secret": "password = '" + "a1" * 16 + "'",
    }
    for what, text in examples.items():
        assert re.search(PATTERNS[what], text), what
