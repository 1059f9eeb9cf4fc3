"""Write all cases of this folder again: `python tests/files/make_files.py`; the bytes are always the same."""

import shutil
from pathlib import Path

import cases_archives
import cases_doubts
import cases_doubts_workbooks
import cases_json
import cases_layouts
import cases_legacy
import cases_ods
import cases_reports
import cases_text
import cases_values
import cases_xlsx

_FOLDER = Path(__file__).parent
_MADE = ("csv", "values", "reports", "xlsx", "xls", "ods", "json", "zip", "refused", "doubts", "layouts")


def main() -> None:
    """Replace the folders of made files; cases that people add go into folders of their own."""
    for name in _MADE:
        shutil.rmtree(_FOLDER / name, ignore_errors=True)
    modules = (
        cases_text,
        cases_values,
        cases_xlsx,
        cases_json,
        cases_layouts,
        cases_legacy,
        cases_ods,
        cases_archives,
        cases_reports,
        cases_doubts,
        cases_doubts_workbooks,
    )
    for module in modules:
        for case in module.cases():
            case.save(_FOLDER)


if __name__ == "__main__":
    main()
