"""Links between the project's pages resolve, and the indexes list every page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from budgets import ROOT

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "localstack/**/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def _prose(page: Path) -> str:
    return _CODE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the anchor of each link of a page that stays in the project."""
    for target in _LINK.findall(_prose(page)):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield (page.parent / file).resolve() if file else page, anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    texts = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", text) for text in _HEADING.findall(_prose(page)))
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in texts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_resolves(page: Path) -> None:
    found = list(links(page))
    assert [str(file) for file, _ in found if not file.exists()] == []
    assert [(str(file), anchor) for file, anchor in found if anchor and anchor not in anchors(file)] == []


@pytest.mark.parametrize(
    ("index", "pattern"),
    [("docs/README.md", "docs/*.*"), ("docs/decisions/README.md", "docs/decisions/*.md")],
)
def test_an_index_lists_every_page_once(index: str, pattern: str) -> None:
    listed = [file for file, _ in links(ROOT / index) if file.parent == (ROOT / index).parent]
    assert sorted(listed) == sorted(set(ROOT.glob(pattern)) - {ROOT / index})
