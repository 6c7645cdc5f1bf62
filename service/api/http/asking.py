"""Handlers that get what a request asks as a model, which also describes it in the API's document."""

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

Asked = TypeVar("Asked", bound=BaseModel)


class Asking(Generic[Asked]):
    """A handler with the model of what it is asked: of the query, or of the JSON body."""

    def __init__(
        self, model: type[Asked], handle: Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]
    ) -> None:
        self.model = model
        self.__doc__ = handle.__doc__
        self._handle = handle

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        read = _read_body if issubclass(self.model, Body) else _read_query
        return await self._handle(request, await read(request, self.model))


def asking(
    model: type[Asked],
) -> Callable[[Callable[[web.Request, Asked], Awaitable[web.StreamResponse]]], Asking[Asked]]:
    """A decorator: the handler gets the request, and what `model` made of it. Raises Refused for all that is wrong."""
    return lambda handle: Asking(model, handle)


async def _read_query(request: web.Request, model: type[Asked]) -> Asked:
    parameters = split_query(request.raw_path.partition("?")[2])
    try:
        return model.model_validate(parameters)
    except ValidationError as error:
        raise Refused(400, _explain(error, model, "parameter")) from None


async def _read_body(request: web.Request, model: type[Asked]) -> Asked:
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
    message = explain(detail)
    return f"{place}: {message}" if place else message
