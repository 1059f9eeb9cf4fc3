"""Write the cases that no editor can write: `python tests/files/make_files.py`; always the same bytes.

Cases of text are not here: each is its file and the expectation beside it.
"""

from pathlib import Path

import cases_archives
import cases_doubts_workbooks
import cases_legacy
import cases_ods
import cases_xlsx


def main() -> None:
    """Write each file, and its expectation, over what is there."""
    for module in (cases_xlsx, cases_legacy, cases_ods, cases_archives, cases_doubts_workbooks):
        for case in module.cases():
            case.save(Path(__file__).parent)


if __name__ == "__main__":
    main()
