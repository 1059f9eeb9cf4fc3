"""Reads the templates as CloudFormation does, with short forms expanded."""

from pathlib import Path
from typing import Any

import yaml

from managed_tables_local.checkout import TEMPLATE


class _Loader(yaml.CSafeLoader):  # in C: 84 KB take a second otherwise
    pass


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {f"Fn::{suffix}" if suffix not in {"Ref", "Condition"} else suffix: value}


_Loader.add_multi_constructor("!", _long_form)


NESTED = ("network", "database", "console", "watching")  # of template.yaml; endpoints.yaml is its own stack


def read_template(name: str = "") -> dict[str, Any]:
    """Return template.yaml, or one of templates/."""
    path: Path = TEMPLATE.parent / "templates" / f"{name}.yaml" if name else TEMPLATE
    return dict(yaml.load(path.read_text(encoding="utf-8"), _Loader))  # noqa: S506 - a SafeLoader


def read_resources() -> dict[str, dict[str, Any]]:
    """Return the resources of template.yaml and of the stacks nested in it; no two have one name."""
    documents = [read_template(), *map(read_template, NESTED)]
    made = {name: one for document in documents for name, one in document["Resources"].items()}
    assert len(made) == sum(len(document["Resources"]) for document in documents)
    return made
