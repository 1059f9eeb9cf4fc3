"""Render the OpenAPI document as one HTML page that loads nothing and runs no script."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from managed_tables_api.openapi.document import Document, operations

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
summary { padding: .5rem .75rem; cursor: pointer; }
details > div { padding: 0 1rem 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .75rem; border-radius: .5rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); padding: .25rem .5rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
.get { color: #1a7f37; } .post { color: #0969da; } .delete { color: #cf222e; }
.put, .patch { color: #9a6700; }
"""


def render_page(document: Document) -> str:
    """Return the page."""
    info = document["info"]
    sections = "".join(_section(document, tag["name"]) for tag in document["tags"])
    schemas = "".join(
        f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary>"
        f"<div>{_json(schema)}</div></details>"
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    return (
        "<!doctype html><html lang='pt-BR'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_text(info['description'])}</p>"
        "<p><a href='openapi.json'>openapi.json</a></p>"
        f"{sections}<h2>Schemas</h2>{schemas}</body></html>"
    )


def _section(document: Document, tag: str) -> str:
    found = [
        _operation(path, method, operation)
        for path, method, operation in operations(document)
        if tag in operation.get("tags", ())
    ]
    return f"<h2>{escape(tag)}</h2>{''.join(found)}"


def _operation(path: str, method: str, operation: Document) -> str:
    parts = [
        f"<p>{_text(operation['description'])}</p>",
        _parameters(operation.get("parameters", [])),
        *_bodies(operation.get("requestBody", {})),
        _responses(operation["responses"]),
    ]
    return (
        f"<details><summary><span class='method {method}'>{method.upper()}</span>"
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
        f"<div>{''.join(parts)}</div></details>"
    )


def _parameters(parameters: list[Document]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td>{_type(one['schema'])}</td><td>{_text(one.get('description', ''))}</td></tr>"
        for one in parameters
    )
    return f"<h4>Parâmetros</h4><table>{rows}</table>" if rows else ""


def _bodies(body: Document) -> Iterator[str]:
    for media_type, media in body.get("content", {}).items():
        yield f"<h4>Corpo: <code>{escape(media_type)}</code></h4>"
        for example in media["schema"].get("examples", []):
            yield _json(example)
        yield f"<details><summary>Schema</summary><div>{_json(media['schema'])}</div></details>"


def _responses(responses: Document) -> str:
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{_text(response['description'])}</td>"
        f"<td>{_schema_of(response)}</td></tr>"
        for status, response in responses.items()
    )
    return f"<h4>Respostas</h4><table>{rows}</table>"


def _schema_of(response: Document) -> str:
    content: Document = response.get("content", {}).get("application/json", {})
    return _type(content.get("schema", {}))


def _type(schema: Document) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f"<a href='#{name}'>{name}</a>"
    default = f" = <code>{escape(json.dumps(schema['default']))}</code>" if "default" in schema else ""
    return escape(str(schema.get("type", ""))) + default


def _text(text: str) -> str:
    """Return the text with its `code` set as such and its paragraphs kept."""
    pieces = escape(text).split("`")
    marked = "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
    return marked.replace("\n\n", "<br>")


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, ensure_ascii=False, indent=2))}</pre>"
