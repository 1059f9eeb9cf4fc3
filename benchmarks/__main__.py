"""Run the benchmarks that are asked for, or the usual ones, one after another."""

import argparse
from importlib import import_module

SECTIONS = {  # name: module, function
    "cold": ("cold_starts", "run"),
    "api": ("api", "run"),
    "import": ("imports", "run"),
    "export": ("exports", "run"),
    "gigabyte": ("gigabyte", "run"),
    "rules": ("rules", "run"),
    "workbooks": ("workbooks", "run"),
}
_ON_REQUEST = ("gigabyte", "rules", "workbooks")  # take minutes for one figure


def main() -> None:
    """Run the sections of the command line; each has `run(small)` and prints its own table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("section", nargs="*", choices=[*SECTIONS, []], help=f"default: all but {_ON_REQUEST}")
    parser.add_argument("--small", action="store_true", help="less data, fewer repetitions")
    arguments = parser.parse_args()
    for name in arguments.section or [name for name in SECTIONS if name not in _ON_REQUEST]:
        module, function = SECTIONS[name]
        getattr(import_module(f"benchmarks.{module}"), function)(arguments.small)


if __name__ == "__main__":
    main()
