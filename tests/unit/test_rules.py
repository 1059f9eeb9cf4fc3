"""Each rule of the reader is needed by the file that is kept for it: `make rules` finds them."""

import json
from pathlib import Path

from rules import CASES, FILES, Files, rules, switched_off

# Rules without which no file was found to be read otherwise: to be deleted, or to get one. May only fall.
MOST_WITHOUT_CASE = 0


def test_each_rule_changes_how_its_file_is_read(tmp_path: Path) -> None:
    cases = json.loads(CASES.read_text())
    assert set(cases) == set(rules())
    assert sum(case is None for case in cases.values()) <= MOST_WITHOUT_CASE
    files = Files(tmp_path)
    whole = {case: files.digest(FILES / case) for case in set(cases.values()) if case}
    idle = []
    for name, switches in rules().items():
        case = cases[name]
        if case is None:
            continue
        with switched_off(switches):
            if files.digest(FILES / case) == whole[case]:
                idle.append(name)
    assert idle == []
