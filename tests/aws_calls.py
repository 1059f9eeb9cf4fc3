"""Which calls of AWS a function's code can make, read from its syntax: what its policy has to grant.

A call is followed by the name of what it is made on: what holds a `Jobs` is called `jobs` everywhere, as
annotations say.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from managed_tables_local.checkout import ROOT

ACTIONS: dict[str, tuple[str, ...]] = {  # by the method of boto3's client
    "get_item": ("dynamodb:GetItem",),
    "put_item": ("dynamodb:PutItem",),
    "update_item": ("dynamodb:UpdateItem",),
    "delete_item": ("dynamodb:DeleteItem",),
    "transact_write_items": (),  # authorised by the writes in it
    "generate_presigned_post": ("s3:PutObject",),
    "generate_presigned_url": ("s3:GetObject",),
    "head_object": ("s3:GetObject",),
    "get_object": ("s3:GetObject",),
    "download_file": ("s3:GetObject",),
    "put_object": ("s3:PutObject",),
    "upload_file": ("s3:PutObject", "s3:AbortMultipartUpload"),
    "copy_object": ("s3:GetObject", "s3:PutObject"),
    "upload_part_copy": ("s3:GetObject", "s3:PutObject"),
    "put_object_tagging": ("s3:PutObjectTagging",),
    "delete_object": ("s3:DeleteObject",),
    "create_multipart_upload": ("s3:PutObject",),
    "upload_part": ("s3:PutObject",),
    "complete_multipart_upload": ("s3:PutObject",),
    "abort_multipart_upload": ("s3:AbortMultipartUpload",),
    "start_execution": ("states:StartExecution",),
    "stop_execution": ("states:StopExecution",),
    "describe_execution": ("states:DescribeExecution",),
    "send_task_success": ("states:SendTaskSuccess",),
    "get_secret_value": ("secretsmanager:GetSecretValue",),
    "put_events": ("events:PutEvents",),
    "invoke": ("lambda:InvokeFunction",),
}
PAGES = {"query": "dynamodb:Query", "scan": "dynamodb:Scan", "list_objects_v2": "s3:ListBucket"}
INDEX_CALLS = {"query_index": "dynamodb:Query", "scan_index": "dynamodb:Scan"}
INDEXES = {"ACTIVE_JOBS_INDEX": "active-jobs", "JOB_HISTORY_INDEX": "job-history"}
ITEMS = "managed_tables.catalog.items"
WRITES = {  # of a transaction
    (ITEMS, "put"): "dynamodb:PutItem",
    (ITEMS, "update"): "dynamodb:UpdateItem",
    (ITEMS, "delete"): "dynamodb:DeleteItem",
}
COUNTED_BY_CALLERS = {(f"{ITEMS}:Items", name) for name in INDEX_CALLS}  # with the index

Place = tuple[str, str]  # a module, or `module:Class`, and a function of it


@dataclass
class Code:
    """The product's functions by place, and which classes the names of what holds them stand for."""

    functions: dict[Place, ast.stmt] = field(default_factory=dict)
    classes: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))  # by bare name
    bases: dict[str, list[str]] = field(default_factory=dict)
    imported: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    meant: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def calls_from(self, starts: Iterable[Place]) -> set[tuple[str, str]]:
        """Return every `(action, index or "")` that is reached from these functions."""
        waiting, seen = list(starts), set(COUNTED_BY_CALLERS)
        packages = {_package(place) for place in waiting} | {"managed_tables"}
        found: set[tuple[str, str]] = set()
        while waiting:
            place = waiting.pop()
            if place in seen or _package(place) not in packages:
                continue
            seen.add(place)
            if place in WRITES:
                found.add((WRITES[place], ""))
            for node in ast.walk(self.functions[place]):
                found.update(_calls(node))
                waiting.extend(self._uses(node, place[0]))
        return found

    def _uses(self, node: ast.AST, owner: str) -> Iterator[Place]:
        module = owner.partition(":")[0]
        match node:
            case ast.Name(name):
                yield from self._named(module, name)
            case ast.Attribute(ast.Name("self" | "cls"), name):
                yield from self._methods(owner, name)
            case ast.Attribute(ast.Call(ast.Name("super")), name):
                yield from self._inherited(owner, name)
            case ast.Attribute(value, name):
                held_by = _last_name(value)
                source = ".".join(self.imported[module].get(held_by, ("", "")))
                if source in self.imported:  # a module
                    yield from self._named(source, name)
                for one in self.meant[held_by.strip("_")]:
                    yield from self._methods(one, name)

    def _named(self, module: str, name: str) -> Iterator[Place]:
        module, name = self.imported[module].get(name, (module, name))
        if (module, name) in self.functions:
            yield module, name
        for made_by in ("__init__", "__post_init__"):
            yield from self._methods(f"{module}:{name}", made_by)

    def _methods(self, owner: str, name: str) -> Iterator[Place]:
        if (owner, name) in self.functions:
            yield owner, name
        else:
            yield from self._inherited(owner, name)

    def _inherited(self, owner: str, name: str) -> Iterator[Place]:
        for base in self.bases.get(owner, []):
            for one in self.classes[base]:
                if one != owner:
                    yield from self._methods(one, name)

    def read(self, module: str, tree: ast.Module) -> None:
        """Take in a module's imports, classes and functions."""
        imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
        self.imported[module] = {
            one.asname or one.name: (node.module or "", one.name) for node in imports for one in node.names
        }
        owners: list[tuple[str, ast.Module | ast.ClassDef]] = [(module, tree)]
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                owner = f"{module}:{node.name}"
                owners.append((owner, node))
                self.classes[node.name].append(owner)
                self.meant[node.name.strip("_")].add(owner)
                self.bases[owner] = [_last_name(base) for base in node.bases]
        for owner, holder in owners:
            self.functions.update({(owner, name): one for one in holder.body for name in _defined(one)})

    def learn_names(self, tree: ast.Module) -> None:
        """Learn which classes the module's names stand for, once all modules are read."""
        for node in ast.walk(tree):
            for name, annotation in _annotated(node):
                for one in ast.walk(annotation):
                    if isinstance(one, ast.Name):
                        self.meant[name.strip("_")].update(self.classes.get(one.id, ()))


@cache
def read_code() -> Code:
    """Read the functions' packages and what they share."""
    code, folders = Code(), [ROOT / "layers" / "common", *(ROOT / "functions").iterdir()]
    trees = {
        ".".join(path.relative_to(folder).with_suffix("").parts): ast.parse(path.read_text())
        for folder in folders
        for path in folder.rglob("*.py")
    }
    for module, tree in trees.items():
        code.read(module, tree)
    for tree in trees.values():
        code.learn_names(tree)
    return code


def _package(place: Place) -> str:
    return place[0].partition(":")[0].partition(".")[0]


def _annotated(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.AnnAssign(ast.Name(name), annotation) | ast.arg(name, ast.expr() as annotation):
            yield name, annotation
        case ast.FunctionDef(name=name, returns=ast.expr() as returned):
            yield name, returned
        case ast.Assign([ast.Name(name)], ast.Call(_, [ast.Lambda(body=ast.Call(ast.Name() as made))])):
            yield name, made
        case ast.Assign([ast.Name(name)], ast.Call(ast.Name() as made)):
            yield name, made


def _defined(statement: ast.stmt) -> Iterator[str]:
    """Yield the name of a function, or of a property that a lambda makes."""
    match statement:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
            yield name
        case ast.Assign([ast.Name(name)], ast.Call(_, [ast.Lambda()])):
            yield name


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(name) | ast.Attribute(_, name):
            return name
        case ast.Call(function):
            return _last_name(function)
    return ""


def _calls(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Call(ast.Attribute(_, "get_paginator" | "_pages"), [ast.Constant(str(name))]):
            yield PAGES[name], ""
        case ast.Call(ast.Attribute(_, name), [ast.Name(index), *_]) if name in INDEX_CALLS:
            yield INDEX_CALLS[name], INDEXES[index]
        case ast.Attribute(_, name):
            yield from ((action, "") for action in ACTIONS.get(name, ()))
