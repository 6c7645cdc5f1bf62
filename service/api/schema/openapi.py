"""The API's document, OpenAPI 3.1: made of the table of operations, the docstrings and models of their handlers, the
vocabulary and the table of problems. Nothing in it is written by hand a second time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from inspect import cleandoc
from typing import Any, Protocol

from pydantic import BaseModel, TypeAdapter

from gateway.names import LONGEST_IMAGE_NAME
from gateway.rules import FORMAT_ALIASES, VOCABULARY, Rules
from service.api.schema.models import PROBLEM_JSON, Problem
from service.api.schema.operation import Answer, Operation
from service.api.schema.operations import OPERATIONS
from service.api.schema.request_models import Body

REFERENCE = "#/components/schemas/{model}"
ALWAYS = ("malformed", "internal")
GUARDED = ("unauthorised", "forbidden", "cross-site", "unknown-host")
NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "the image's name, slashes and all; a folder ends with a slash; or NAME/@RECIPE.FORMAT",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_IMAGE_NAME},
}
PARTS = re.compile(r"{(?!name})(\w+)}")  # of a path, beside the name
CONDITIONS = ("If-Match", "If-None-Match")
ETAGS = r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$'  # what may be in these headers (ECMA-262, ASCII)

Handlers = Mapping[str, object]
"""By operation. The docstring of a handler describes its operation; its `model`, where it has one, what it is asked."""


class ProblemKind(Protocol):
    """One kind of problem, as `service.api.http.problems` has it."""

    @property
    def status(self) -> int: ...

    @property
    def code(self) -> str: ...

    @property
    def when(self) -> str: ...


def document(rules: Rules, handlers: Handlers, problems: Sequence[ProblemKind]) -> dict[str, Any]:
    """Returns the document for one configuration, whose limits and formats are in it."""
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        found = _operation(operation, handlers[operation.name], rules, schemas)
        found["responses"] = dict(_responses(operation, problems, schemas))
        paths.setdefault(operation.path, {})[operation.method.lower()] = found
    _schema(Problem, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image Gateway",
            "version": metadata.version("image-gateway"),
            "description": "A repository of images that derives others on demand.",
            "license": {"name": "see the project"},
        },
        "paths": dict(paths),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "x-problems": [{"status": kind.status, "code": kind.code, "when": kind.when} for kind in problems],
    }


def _operation(operation: Operation, handler: object, rules: Rules, schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = cleandoc(handler.__doc__ or "").partition("\n")
    found: dict[str, Any] = {"operationId": operation.name, "summary": summary}
    if rest.strip():
        found["description"] = " ".join(rest.split())
    parameters = list(_parameters(operation, _model(handler), rules))
    if parameters:
        found["parameters"] = parameters
    body = _body(operation, _model(handler), schemas)
    if body:
        found["requestBody"] = body
    if not operation.open:
        found["security"] = [{"token": [scope]} for scope in operation.scopes] or [{"token": []}]
        found["security"].append({})
    return found


def _model(handler: object) -> type[BaseModel] | None:
    model: type[BaseModel] | None = getattr(handler, "model", None)
    return model


def _parameters(operation: Operation, model: type[BaseModel] | None, rules: Rules) -> Iterator[dict[str, Any]]:
    if "{name}" in operation.path:
        yield NAME
    for word in PARTS.findall(operation.path):
        yield {"name": word, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    if model is not None and not issubclass(model, Body):
        for name, schema in model.model_json_schema()["properties"].items():
            yield _query(name, schema.pop("description", ""), {k: v for k, v in schema.items() if k != "title"})
    if operation.takes_image:
        yield from _vocabulary(rules)
    if operation.method in ("PUT", "POST", "DELETE") and ("{name}" in operation.path or "{id}" in operation.path):
        for header in CONDITIONS:
            schema = {"type": "string", "pattern": ETAGS}
            yield {"name": header, "in": "header", "schema": schema, "description": "ETags of the original"}


def _vocabulary(rules: Rules) -> Iterator[dict[str, Any]]:
    """The operations, their aliases and what names a format, as the contract has them."""
    for row in VOCABULARY["operations"]:
        most = rules.limits.get(row.get("max", ""), row.get("max", "")) if isinstance(row.get("max"), str) else ""
        expects = str(row["expects"]).replace("{max}", str(most))
        for word in (row["key"], *row.get("aliases", ())):
            yield {**_query(word, f"{row['meaning']}: {expects}", {"type": "string"}), "x-group": "operation"}
    formats = [*rules.out, *FORMAT_ALIASES, *VOCABULARY["undecided"]]
    for word in ("format", "kind"):
        yield _query(word, f"the format; {rules.default_format} where there is none", {"enum": formats})
    yield _query("preset", "a recipe by its name", {"enum": list(rules.presets)})
    yield _query("thumbnail", "the preset thumbnail", {"type": "boolean"})
    yield _query("meta", "the image's metadata", {"type": "boolean"})
    yield _query("v", "the version (ETag) of the original that is meant", {"type": "string"})


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _body(operation: Operation, model: type[BaseModel] | None, schemas: dict[str, Any]) -> dict[str, Any] | None:
    if model is not None and issubclass(model, Body):
        return {"required": True, "content": {"application/json": {"schema": _schema(model, schemas)}}}
    if operation.method not in ("PUT", "POST") or operation.sends == "nothing":
        return None
    file = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
    raw = {"schema": {"type": "string", "format": "binary"}}
    if operation.sends == "bytes":
        return {"required": True, "content": {"*/*": raw}}
    return {"required": True, "content": {"image/*": raw, "multipart/form-data": {"schema": file}}}


def _responses(
    operation: Operation, problems: Sequence[ProblemKind], schemas: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for answer in operation.answers:
        yield str(answer.status), _answer(answer, schemas)
    codes = {*operation.problems, *ALWAYS, *(() if operation.open else GUARDED)}
    listed = [kind for kind in problems if kind.code in codes]
    for status in sorted({kind.status for kind in listed}):
        whens = "; ".join(f"`{kind.code}`: {kind.when}" for kind in listed if kind.status == status)
        schema = _schema(Problem, schemas)
        content = {each: {"schema": schema} for each in (PROBLEM_JSON, "application/json")}
        content |= {each: {"schema": {"type": "string"}} for each in ("text/plain", "text/html")}
        yield str(status), {"description": whens, "content": content}


def _answer(answer: Answer, schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": answer.means}
    if answer.content:
        found["content"] = {
            content_type: {"schema": _any_of(models, schemas)} for content_type, models in answer.content.items()
        }
    if answer.headers:
        found["headers"] = {header: {"schema": {"type": "string"}} for header in answer.headers}
    return found


def _any_of(models: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(models, tuple):
        return _schema(models, schemas)
    return {"anyOf": _each(models, schemas)}


def _each(models: Sequence[Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    return [_schema(model, schemas) for model in models]


def _schema(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model, as a reference where it has a name; what it needs is put into `schemas`."""
    if model is bytes:
        return {"type": "string", "format": "binary"}
    mode: Any = "validation" if isinstance(model, type) and issubclass(model, Body) else "serialization"
    schema = TypeAdapter(model).json_schema(mode=mode, ref_template=REFERENCE)
    schemas.update(schema.pop("$defs", {}))
    if isinstance(model, type) and issubclass(model, BaseModel):
        schemas[model.__name__] = schema
        return {"$ref": REFERENCE.format(model=model.__name__)}
    return dict(schema)
