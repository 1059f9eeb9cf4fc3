"""Each rule of the reader is needed by a file kept for it: `make rules` finds these files."""

import json
from pathlib import Path

from rules import CASES, FILES, Files, rules, switched_off


def test_each_rule_changes_how_its_file_is_read(tmp_path: Path) -> None:
    cases = json.loads(CASES.read_text())
    assert set(cases) == set(rules())
    files = Files(tmp_path)
    whole = {case: files.digest(FILES / case) for case in set(cases.values())}
    idle = []
    for name, switches in rules().items():
        case = cases[name]
        with switched_off(switches):
            if files.digest(FILES / case) == whole[case]:
                idle.append(name)
    assert idle == []
