"""Detect the encoding of a file from all its bytes, and transcode it to UTF-8."""

from pathlib import Path

import pytest

from managed_tables.messages.findings import Finding
from managed_tables_reader.files.encodings import (
    CHUNK_BYTES,
    Encoding,
    NotTextError,
    detect_encoding,
    transcode,
)

TEXT = "código;descrição;preço\n1;Não há ação em São João;2,50\n"


def _read(folder: Path, content: bytes) -> tuple[str, str, list[Finding]]:
    source, target = folder / "in", folder / "out"
    source.write_bytes(content)
    encoding = detect_encoding(source)
    transcode(source, target, encoding)
    return encoding.name, target.read_text(encoding="utf-8"), encoding.findings


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\x00\x00"),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("cp1252", b""),
        ("cp850", b""),
        ("mac_roman", b""),
    ],
)
def test_the_encoding_is_recognised_and_the_text_kept(tmp_path: Path, encoding: str, mark: bytes) -> None:
    assert _read(tmp_path, mark + TEXT.encode(encoding)) == (encoding, TEXT, [])


def test_capitals_in_cp850_are_distinguished_from_cp1252(tmp_path: Path) -> None:
    text = "ITEM;SITUAÇÃO\nAÇÚCAR;NÃO\nPÃO FRANCÊS;SIM\nMAÇÃ;NÃO\n"
    assert _read(tmp_path, text.encode("cp850")) == ("cp850", text, [])
    assert _read(tmp_path, text.encode("cp1252")) == ("cp1252", text, [])


def test_the_last_byte_of_a_long_file_counts(tmp_path: Path) -> None:
    content = b"a;b\n" * (CHUNK_BYTES // 2) + "é".encode("cp1252")
    name, text, _ = _read(tmp_path, content)
    assert (name, text[-1]) == ("cp1252", "é")


def test_a_character_split_between_chunks_is_kept(tmp_path: Path) -> None:
    content = ("a" * (CHUNK_BYTES - 1) + "é\n").encode()
    assert _read(tmp_path, content)[:2] == ("utf-8", content.decode())


def test_invalid_bytes_in_utf_8_are_read_as_cp1252_and_reported_by_line(tmp_path: Path) -> None:
    content = "ação\nsão\nnão\n".encode() + "pé\n".encode("cp1252")
    name, text, findings = _read(tmp_path, content)
    assert (name, text) == ("utf-8", "ação\nsão\nnão\npé\n")
    assert [(finding.code, finding.lines) for finding in findings] == [("INVALID_UTF8", (4,))]


def test_a_sign_of_lost_characters_that_stands_in_the_file_is_no_loss(tmp_path: Path) -> None:
    _, _, findings = _read(tmp_path, "a\0\nb\ufffd\n".encode())
    assert [(finding.code, finding.lines) for finding in findings] == [("NUL_REMOVED", (1,))]


def test_bytes_that_a_stated_encoding_has_not_are_reported(tmp_path: Path) -> None:
    path, encoding = tmp_path / "file", Encoding("shift_jis")
    path.write_bytes("日\n本".encode("shift_jis") + b"\xff\n")
    transcode(path, tmp_path / "utf8", encoding)
    [finding] = encoding.findings
    assert (finding.code, finding.lines) == ("BYTES_LOST", (2,))


def test_nul_characters_are_removed_and_reported_by_line(tmp_path: Path) -> None:
    _, text, findings = _read(tmp_path, b"id,nome\n1,A\x00na\n2,Bia\n")
    assert text == "id,nome\n1,Ana\n2,Bia\n"
    assert [(finding.code, finding.lines) for finding in findings] == [("NUL_REMOVED", (2,))]


@pytest.mark.parametrize("content", [bytes(range(256)) * 40, b"\x00" * 5_000])
def test_binary_content_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in"
    path.write_bytes(content)
    with pytest.raises(NotTextError):
        detect_encoding(path)


def test_a_single_rare_letter_is_still_read_as_cp1252(tmp_path: Path) -> None:
    """The byte of `ÿ` is a no-break space in cp850."""
    text = "nome;cidade\nL'Haÿ;Paris\n"
    assert _read(tmp_path, text.encode("cp1252"))[:2] == ("cp1252", text)


@pytest.mark.parametrize(
    "text", ["preço\xa0médio;unidade\n", "custo (£)\n", "€\n1\n", "5¢\n", "µ\n", "10\xa0\n"]
)
def test_a_sign_beside_no_letter_is_none_of_another_code_page(tmp_path: Path, text: str) -> None:
    assert _read(tmp_path, text.encode("cp1252"))[:2] == ("cp1252", text)


@pytest.mark.parametrize(
    "text",
    [
        "Nº;Código;Valor\n",
        "Maceió;Nº\n",
        "1º;Área\n",
        "custo (£)\n",
        "das 8 às 9\n",
        "R$ 5 à vista\n",
        "item\né\n",
    ],
)
def test_signs_and_lone_letters_of_a_terminal(tmp_path: Path, text: str) -> None:
    assert _read(tmp_path, text.encode("cp850"))[:2] == ("cp850", text)


@pytest.mark.parametrize(
    ("text", "page"),
    [
        # Signs at the edge of a word, or apart, are no letters of another page.
        ("José †", "cp1252"),
        ("Heron Point,• not counted\nGull Rock,† joint count\nWren Hill,‡ closed", "cp1252"),
        ("Fulano™", "cp1252"),
        ("«neuf»", "cp1252"),
        ("„x“", "cp1252"),
        ("‚alt‘", "cp1252"),
        ("‹link›", "cp1252"),
        ("§ 5", "cp1252"),
        ("¶ 3", "cp1252"),
        ("7 ¬ 3", "cp1252"),
        ("Peter’s", "cp1252"),
        ("O’Brien", "cp1252"),
        ("L’Haÿ", "cp1252"),
        ("preço\xa0médio", "cp1252"),
        ("1ª parcela", "cp850"),
        ("Art. 5º", "cp850"),
        # So are signs beside a number or a unit.
        ("Preço ±5", "cp1252"),
        ("-4.2‰", "cp1252"),
        ("50 ‰", "cp1252"),
        ("¥100", "cp1252"),
        ("1¼ kg", "cp1252"),
        ("10×15", "cp1252"),
        ("Custo (£k)", "cp1252"),
        ("Custo (€k)", "cp1252"),
        ("µg", "cp1252"),
        ("25 °C", "cp1252"),
        ("Área (m²)", "cp1252"),
        ("Pago: £9m", "cp1252"),
        ("£5.98", "cp850"),
        ("10\xa0000", "cp850"),
        # Within a word, or before one, they are.
        ("Código", "cp850"),
        ("último", "cp850"),
        ("Só", "cp850"),
        ("Água", "cp850"),
        ("Código", "mac_roman"),
        ("Título", "mac_roman"),
        ("Água", "mac_roman"),
        # Two pages have a letter: one is a capital in a small word, or a small letter in capitals.
        ("José", "cp1252"),
        ("MACEIÓ", "cp850"),
        ("VOVÔ", "cp850"),
        ("LIMÕES", "cp850"),
        ("Paraná", "mac_roman"),
        ("FÉRIAS", "mac_roman"),
        ("Férias", "mac_roman"),
        # Or one stands where no word has it.
        ("NÃO", "cp850"),
        ("SÃO JOÃO", "cp850"),
        ("ÓRGÃO", "cp850"),
        ("MÊS", "cp850"),
        ("ação", "cp1252"),
        ("Käse", "cp1252"),
        ("cœur", "cp1252"),
        ("número", "mac_roman"),
        ("Žižek", "cp1252"),
        ("Guðmundur", "cp1252"),
        # A word of one letter is followed by another word, or ends a sentence.
        ("VALOR À VISTA", "cp850"),
        ("O que é?", "cp850"),
        ("0.5 … 1", "cp1252"),
        ("sem nome…", "cp1252"),
    ],
)
def test_a_character_is_judged_by_its_place(tmp_path: Path, text: str, page: str) -> None:
    assert _read(tmp_path, f"{text}\n".encode(page))[:2] == (page, f"{text}\n")
