"""Reads template.yaml as CloudFormation does, with short forms expanded."""

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


def read_template() -> dict[str, Any]:
    """Return the whole template."""
    return dict(yaml.load(TEMPLATE.read_text(encoding="utf-8"), _Loader))  # noqa: S506 - a SafeLoader
