"""Write the cases that no editor can write: `python tests/files/make_files.py`; always the same bytes.

Here are hand-made XLSX packages and damaged archives. A text, or a workbook that a spreadsheet program
writes, is its own source: the file and the expectation beside it.
"""

from pathlib import Path

import cases_archives
import cases_xlsx


def main() -> None:
    """Write each file, and its expectation, over what is there."""
    for module in (cases_xlsx, cases_archives):
        for case in module.cases():
            case.save(Path(__file__).parent)


if __name__ == "__main__":
    main()
