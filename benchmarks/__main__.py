"""Owns the command: runs the sections asked for, or all of them, one after another."""

import argparse
from importlib import import_module

SECTIONS = {"cold": "cold_starts", "api": "api", "import": "imports", "deployed": "deployed"}  # name: module


def main() -> None:
    """Run the sections of the command line; each module has `run(small)` and prints its own table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("section", nargs="*", choices=[*SECTIONS, []], help="default: all of them")
    parser.add_argument("--small", action="store_true", help="less data, fewer repetitions")
    arguments = parser.parse_args()
    for name in arguments.section or SECTIONS:
        import_module(f"benchmarks.{SECTIONS[name]}").run(arguments.small)


if __name__ == "__main__":
    main()
