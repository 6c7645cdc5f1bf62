"""`image-gateway render`: print nginx's side of a configuration. No running gateway is changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gateway.config import rules_of
from gateway.settings import Config
from service.runtime.imagemagick import writable_formats
from service.runtime.lock import is_held
from service.runtime.paths import Paths, paths_of
from service.supervise import nginx_conf

MARK = "# Image Gateway's front, rendered by"  # the first line of every nginx.conf of ours begins so


def print_nginx_conf(config: Config) -> str:
    """The text of nginx.conf, as `up` would write it. Raises EngineError."""
    return _files(config, paths_of(config))["nginx.conf"]


def write_folder(config: Config, folder: Path) -> Path:
    """Write all that nginx needs into a folder: a new one, an empty one or an earlier one of ours; its absolute path.

    Raises OSError with what is wrong with the folder; EngineError.
    """
    paths, folder = paths_of(config), folder.absolute()
    _require_ours(folder, paths)
    folder.mkdir(parents=True, exist_ok=True)
    nginx_conf.write(_files(config, replace(paths, nginx=folder)), folder)
    return folder


def _files(config: Config, paths: Paths) -> Mapping[str, str]:
    return nginx_conf.render(config, paths, rules_of(config, writable_formats(config)))


def _require_ours(folder: Path, paths: Paths) -> None:
    if folder.resolve() == paths.nginx.resolve() or is_held(folder.resolve().parent, "up"):
        raise OSError(f"--to {folder}: a gateway that runs has its own files there; name another folder")
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise OSError(f"--to {folder}: is no folder; name one that is new, or empty")
    if any(folder.iterdir()) and not _is_rendered(folder / "nginx.conf"):
        raise OSError(f"--to {folder}: holds other files; name one that is new, empty or written by an earlier render")


def _is_rendered(file: Path) -> bool:
    try:
        return file.read_text("utf-8", "replace").startswith(MARK)
    except FileNotFoundError:
        return False
