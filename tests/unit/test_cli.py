"""The offline tool, run as people run it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "managed_tables_analyze.cli")
FILES = Path(__file__).parents[1] / "files"


def _run(*arguments: str | Path) -> list[dict[str, Any]]:
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, check=False, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_file_gives_one_json_object_even_after_a_bad_one(tmp_path: Path) -> None:
    good, bad, empty = tmp_path / "bom.csv", tmp_path / "ruim.csv", tmp_path / "vazio.csv"
    good.write_bytes("Título\n\nid;preço\n1;2,50\n".encode("cp1252"))
    bad.write_bytes(b"%PDF-1.7")
    empty.write_bytes(b"")
    rows_dir = tmp_path / "linhas"
    paths = (bad, good, empty, tmp_path / "ausente.csv")
    results = _run("--rows-dir", rows_dir, *paths)
    assert [result["file"] for result in results] == [*map(str, paths)]
    fields = {"file", "dialect", "reading", "inferred_schema", "warnings", "error"}
    assert all(set(result) == fields for result in results)
    assert results[0]["error"]["code"] == "FILE_KIND_REFUSED"
    assert results[1]["dialect"] == {"encoding": "cp1252", "delimiter": ";", "quote": '"', "header_line": 3}
    [table] = results[1]["reading"]["tables"]
    names = ("header_line", "first_line", "last_line", "skipped_lines", "rows")
    assert [table[name] for name in names] == [3, 4, 4, [1, 2], 1]
    assert results[1]["inferred_schema"]["total_row_count_estimate"] == 1
    assert "não existe" in results[3]["error"]["message"]
    assert (rows_dir / "bom.csv.csv").read_bytes() == 'id,preço\r\n1,"2,50"\r\n'.encode()
    assert (rows_dir / "vazio.csv.csv").read_bytes() == b""
    twice = subprocess.run([*COMMAND, "--rows-dir", rows_dir, good, good], check=False, timeout=120)
    assert twice.returncode == 2, "one would take the other's place"


def test_rows_of_a_file_without_a_header_are_written_without_one(tmp_path: Path) -> None:
    file = tmp_path / "dados.csv"
    file.write_bytes(b'2024-01-01;"a ""b"" ;c"\n2024-01-02;x\n')
    _run("--rows-dir", tmp_path / "r", file)
    assert (tmp_path / "r" / "dados.csv.csv").read_bytes() == b'2024-01-01,"a ""b"" ;c"\r\n2024-01-02,x\r\n'


def test_a_stated_header_is_read_even_above_a_larger_table(tmp_path: Path) -> None:
    """A title that is stated to be the header has no rows: the file is not empty for that."""
    file = tmp_path / "dados.csv"
    file.write_text("Vendas\n\n" + "".join(f"{row};{row * 2}\n" for row in ("n", *range(1, 9))))
    [result] = _run("--header-line", 1, file)
    [table], [warning] = result["reading"]["tables"], result["warnings"]
    assert (table["header_line"], table["rows"], warning["code"]) == (1, 0, "TABLE_APART")


def test_a_file_that_kills_its_process_is_reported_and_the_next_is_read(tmp_path: Path) -> None:
    script = tmp_path / "morte.py"
    script.write_text(
        "import os, sys\n"
        "from managed_tables_analyze import cli\n"
        "real = cli.analyze\n"
        "def analyze(sources, *others, **named):\n"
        "    if sources[0].name == 'mata.csv':\n"
        "        os._exit(9)\n"
        "    if sources[0].name == 'enche.csv':\n"
        "        raise MemoryError\n"
        "    if sources[0].name == 'torto.csv':\n"
        "        return None\n"
        "    return real(sources, *others, **named)\n"
        "cli.analyze = analyze\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(cli.main(sys.argv[1:]))\n",
        encoding="utf-8",
    )
    files = [tmp_path / name for name in ("mata.csv", "enche.csv", "torto.csv", "vive.csv")]
    for file in files:
        file.write_bytes(b"a\n1\n")
    command = [sys.executable, script, *files]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=dict(os.environ))
    assert done.returncode == 1
    killed, full, odd, read = (json.loads(line)["error"] for line in done.stdout.splitlines())
    assert killed["code"] == full["code"] == odd["code"] == "FILE_NOT_TABULAR"
    assert "faltou memória" in full["message"]
    assert read is None


def test_an_interrupt_of_the_tool_alone_waits_for_no_file(tmp_path: Path) -> None:
    script = tmp_path / "espera.py"
    script.write_text(
        "import signal, sys, time\n"
        "from managed_tables_analyze import cli\n"
        "def analyze(*_, **__):\n"
        "    print('lendo', file=sys.stderr, flush=True)\n"
        "    time.sleep(150)\n"
        "cli.analyze = analyze\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    sys.exit(cli.main(sys.argv[1:]))\n",
        encoding="utf-8",
    )
    with subprocess.Popen([sys.executable, script, tmp_path / "a.csv"], stderr=subprocess.PIPE) as tool:
        assert tool.stderr is not None
        assert tool.stderr.readline() == b"lendo\n"
        tool.send_signal(signal.SIGINT)
        assert tool.wait(timeout=60) != 0


REPORT = "Relatório de vendas\n\nid;nome;valor\n1;Ana;2,50\n2;Rui;3,75\n3;Eva;1,10\nFonte: IBGE, 2020\n"


def test_an_explanation_lists_the_candidate_layouts(tmp_path: Path) -> None:
    file = tmp_path / "vendas.csv"
    file.write_text(REPORT)
    [table] = _run("--explain", file)[0]["reading"]["tables"]
    read = ("delimiter", "header_line", "first_line", "last_line")
    assert [table[name] for name in read] == [";", 3, 4, 6]
    best, *others = [one["layout"] for one in table["candidates"]]
    assert (best["header_line"], best["first_line"], best["last_line"]) == (3, 4, 6)
    assert len(others) == 2
    totals = [sum(one["bits"].values()) for one in (best, *others)]
    assert totals == sorted(totals)
    assert best["columns"] == 3
    assert best["bits"]["above"] > 0
    assert best["bits"]["footer"] > 0


def test_the_candidates_are_those_of_the_table_that_was_read(tmp_path: Path) -> None:
    file = tmp_path / "visitas.csv"
    file.write_text(
        "Visitas;;\nPessoa;Dia;Clube;\nAna;01/03/2024;Xadrez\nBia;02/03/2024;Remo\nEva;03/03/2024;Canto\n\n"
        "Pessoa;Ida;Volta\nRui;01/04/2024;05/04/2024\n"
    )
    [table] = _run("--explain", file)[0]["reading"]["tables"]
    best = table["candidates"][0]
    shown = ("header_line", "first_line", "last_line")
    assert [best["layout"][one] for one in shown] == [table[one] for one in shown] == [2, 3, 5]
    assert (best["delimiter"], best["layout"]["columns"]) == (table["delimiter"], 3)
    assert best["layout"]["bits"]["others"] > 0


def test_stated_options_narrow_the_candidates(tmp_path: Path) -> None:
    file, book = tmp_path / "vendas.csv", FILES / "xlsx" / "empty_first_sheet.xlsx"
    file.write_text(REPORT)
    stated = ["--delimiter", ",", "--header-line", "0", "--first-line", "4", "--last-line", "5"]
    [result] = _run("--explain", *stated, "--encoding", "cp1252", file)
    [table] = result["reading"]["tables"]
    assert (table["delimiter"], table["header_line"], table["encoding"]) == (",", None, "cp1252")
    assert (table["first_line"], table["last_line"]) == (4, 5)
    assert {one["layout"]["header_line"] for one in table["candidates"]} == {None}
    sheets = _run("--explain", "--sheet", "Dados", book)[0]["reading"]["tables"]
    assert [(one["sheet"], one["include"]) for one in sheets] == [("Capa", False), ("Dados", True)]
    assert _run("--sheet", "Dados", file)[0]["error"]["code"] == "NO_TABLE_INCLUDED"
    command = [*COMMAND, "--encoding", "base64", file]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (refused.returncode, "não é uma codificação" in refused.stderr) == (2, True)


def test_the_command_shows_an_explanation_as_tables(tmp_path: Path) -> None:
    file, other = tmp_path / "vendas.csv", tmp_path / "ruim.csv"
    file.write_text(REPORT)
    other.write_bytes(b"%PDF-1.7")
    command = [sys.executable, "-m", "managed_tables_command", "analyze", "--explain", file, other]
    environment = os.environ | {"COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    read = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in lines if line.count("│") == 3}
    assert [read[name] for name in ("separador", "aspas", "cabeçalho", "dados")] == [";", '"', "3", "4 a 6"]
    assert sum("bits: linhas" in line for line in lines) == 1
    assert "Fonte: IBGE, 2020" in done.stdout
    assert "ruim.csv" in done.stderr
