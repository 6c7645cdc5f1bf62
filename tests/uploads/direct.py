"""Uploads straight to the store, as a client makes them: begin, send, finish."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx


def begin(api: httpx.Client, name: str, data: bytes, **more: Any) -> httpx.Response:
    announced = {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return api.post("/uploads", json=announced | more)


def begun(api: httpx.Client, name: str, data: bytes, **more: Any) -> dict[str, Any]:
    answer = begin(api, name, data, **more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def send(upload: dict[str, Any], data: bytes, **headers: str) -> httpx.Response:
    """PUT the bytes, as one who has nothing but the URL."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(
        upload["method"], upload["url"], content=data, headers=upload["headers"] | more, trust_env=False, timeout=60
    )


def sent(api: httpx.Client, name: str, data: bytes, **more: Any) -> dict[str, Any]:
    """An upload that is ready to be finished."""
    upload = begun(api, name, data, **more)
    assert send(upload, data).status_code == 201
    return upload


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, str(answer.json().get("type", "")).rpartition(":")[2]
