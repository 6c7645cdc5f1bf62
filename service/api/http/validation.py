"""Parse the query or JSON body of a request into a pydantic model, which also describes it in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.errors import Refused, quote
from gateway.hints import did_you_mean
from gateway.names import split_query
from gateway.wording import explain
from service.api.http.body import read_small
from service.api.http.errors import UnsupportedBody
from service.api.schema.request_models import Body

LONGEST_BODY = 4 * 2**20  # bytes of a JSON body: a thousand names of the greatest length, with room for escapes

Model = TypeVar("Model", bound=BaseModel)


class ValidatedHandler(Generic[Model]):
    """A handler with the model of its query, or of its JSON body."""

    def __init__(
        self, model: type[Model], handle: Callable[[web.Request, Model], Awaitable[web.StreamResponse]]
    ) -> None:
        self.model = model
        self.__doc__ = handle.__doc__
        self._handle = handle

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        read = _read_body if issubclass(self.model, Body) else _read_query
        return await self._handle(request, await read(request, self.model))


def validated(
    model: type[Model],
) -> Callable[[Callable[[web.Request, Model], Awaitable[web.StreamResponse]]], ValidatedHandler[Model]]:
    """Decorate a handler that takes the request and an instance of `model`. Raises Refused with what is wrong."""
    return lambda handle: ValidatedHandler(model, handle)


async def _read_query(request: web.Request, model: type[Model]) -> Model:
    parameters = split_query(request.raw_path.partition("?")[2])
    try:
        return model.model_validate(parameters)
    except ValidationError as error:
        raise Refused(400, _explain(error, model, "parameter")) from None


async def _read_body(request: web.Request, model: type[Model]) -> Model:
    if request.content_type != "application/json":
        raise UnsupportedBody("the body must be application/json")
    try:
        return model.model_validate_json(await read_small(request, LONGEST_BODY))
    except ValidationError as error:
        raise Refused(400, _explain(error, model, "key")) from None


def _explain(error: ValidationError, model: type[BaseModel], what: str) -> str:
    known = [field.alias or name for name, field in model.model_fields.items()]
    return "; ".join(_line(detail, known, what) for detail in error.errors(include_url=False)[:3])


def _line(detail: ErrorDetails, known: list[str], what: str) -> str:
    place = quote(".".join(map(str, detail["loc"])))
    if detail["type"] == "extra_forbidden":
        hint = did_you_mean(str(detail["loc"][-1]), known) or f"; there are {', '.join(known)}"
        return f"{place}: no such {what}{hint}"
    if detail["type"] == "model_type":
        return f'{place or "the body"} must be an object, such as {{"key": value}}'
    message = explain(detail)
    return f"{place}: {message}" if place else message
