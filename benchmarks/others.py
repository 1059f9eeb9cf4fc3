"""Run what imports are compared with: csvsql and pandas, in an environment of their own."""

import subprocess
import sys
import time
from pathlib import Path

VENV = Path(".local/benchmarks-venv")
PACKAGES = ("csvkit==2.2.0", "pandas==2.3.3", "psycopg2-binary", "sqlalchemy==2.0.*", "xlwt==1.3.0")

_PANDAS = """
import sys, pandas, sqlalchemy
frame = pandas.read_csv(sys.argv[1], dtype={"cep": str}, parse_dates=["dia", "quando"])
frame.to_sql("pandas_rows", sqlalchemy.create_engine(sys.argv[2]), if_exists="replace", index=False,
             chunksize=10_000, method="multi")
"""
_XLWT = """
import csv, sys, xlwt
from datetime import date, datetime
from decimal import Decimal
book = xlwt.Workbook()
sheet = book.add_sheet("Pedidos")
day, moment = xlwt.easyxf(num_format_str="dd/mm/yyyy"), xlwt.easyxf(num_format_str="dd/mm/yyyy hh:mm:ss")
with open(sys.argv[1], newline="", encoding="utf-8") as source:
    for number, row in enumerate(csv.reader(source)):
        for place, text in enumerate(row):
            if number == 0 or place in (1, 7, 9):
                if text:
                    sheet.write(number, place, text)
            elif place == 4:
                sheet.write(number, place, date.fromisoformat(text), day)
            elif place == 5:
                sheet.write(number, place, datetime.fromisoformat(text), moment)
            elif place == 6:
                sheet.write(number, place, text == "true")
            else:
                sheet.write(number, place, Decimal(text) if "." in text else int(text))
book.save(sys.argv[2])
"""


def prepare() -> Path:
    """Make the environment at the first call; return its folder of programs."""
    programs = VENV / "bin"
    if not (VENV / ".installed").exists():
        print("==> making the environment of csvsql and pandas (once)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(programs / "python"), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (VENV / ".installed").touch()
    return programs


def write_xls(clean_csv: Path, target: Path) -> Path:
    """Write the rows of a clean CSV as an old workbook."""
    subprocess.run([str(prepare() / "python"), "-c", _XLWT, str(clean_csv), str(target)], check=True)
    return target


def time_csvsql(clean_csv: Path, dsn: str) -> float:
    """Return the seconds that `csvsql --insert` takes."""
    url = dsn.replace("postgresql://", "postgresql+psycopg2://")
    command = ["csvsql", "--db", url, "--insert", "--overwrite", "--tables", "csvsql_rows", str(clean_csv)]
    return _time([str(prepare() / command[0]), *command[1:]])


def time_pandas(clean_csv: Path, dsn: str) -> float:
    """Return the seconds that read_csv and to_sql take."""
    url = dsn.replace("postgresql://", "postgresql+psycopg2://")
    return _time([str(prepare() / "python"), "-c", _PANDAS, str(clean_csv), url])


def _time(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start
