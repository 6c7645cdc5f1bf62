"""The nginx of this machine: which program it is, how it is run, and what it is made of."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

FOLDERS = ("/usr/sbin", "/usr/local/openresty/bin")  # besides those of PATH
NAMES = ("openresty", "nginx")
MODULES = ("ndk_http_module.so", "ngx_http_lua_module.so")
MODULE_FOLDERS = ("/usr/lib/nginx/modules", "/usr/share/nginx/modules")
BUILT_IN = re.compile(r"--add-module=\S*(ngx_lua|lua-nginx-module)")  # in what `nginx -V` says
TIME = 30.0  # seconds for a test of a configuration

_TELL = """
daemon off;
pid nginx.pid;
{modules}
events {{}}
http {{
    init_by_lua_block {{
        local nginx, lua = ngx.config.nginx_version, ngx.config.ngx_lua_version
        io.stdout:write(string.format("nginx %d.%d.%d, Lua module %d.%d.%d, %s", nginx / 1000000, nginx / 1000 % 1000,
            nginx % 1000, lua / 1000000, lua / 1000 % 1000, lua % 1000, jit.version))
        os.exit(0)
    }}
}}
"""  # it listens nowhere, and ends before it would serve


def program(named: str = "") -> str:
    """The path of nginx: the one that is `named` (`runtime.nginx`), else OpenResty, else nginx. Raises
    FileNotFoundError where there is none."""
    folders = [*os.environ.get("PATH", "").split(":"), *FOLDERS]
    for name in [named] if named else NAMES:
        for folder in folders:
            path = Path(folder) / name  # which is `name` itself where that is absolute
            if folder and path.is_file() and os.access(path, os.X_OK):
                return str(path)
    if named:
        raise FileNotFoundError(f"runtime.nginx: there is no program {named}; name one, or leave the option empty")
    raise FileNotFoundError("there is no nginx: install it with the Lua module (make setup), or OpenResty")


def command(folder: Path, *more: str, named: str = "") -> list[str]:
    """The command that runs it on the rendered files. Raises FileNotFoundError as `program` does."""
    return [program(named), "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf", *more]


def modules(named: str = "") -> list[Path]:
    """The dynamic modules that a distribution's nginx loads; OpenResty, and what is built like it, has them already."""
    path = program(named)
    if "openresty" in Path(path).resolve().parts or Path(path).name == "openresty":
        return []
    if named and _has_lua_built_in(path):
        return []
    for folder in MODULE_FOLDERS:
        found = [Path(folder) / name for name in MODULES]
        if all(path.exists() for path in found):
            return found
    return []


def _has_lua_built_in(path: str) -> bool:
    told = subprocess.run([path, "-V"], capture_output=True, text=True, check=False, timeout=TIME)
    return bool(BUILT_IN.search(told.stderr))


def load_lines(named: str = "") -> str:
    """The lines of a configuration that load the modules."""
    return "".join(f'load_module "{path}";\n' for path in modules(named))


def versions(named: str = "") -> str:
    """The versions of nginx, of its Lua module and of LuaJIT, as nginx itself tells them; empty where it has no Lua
    module. Raises FileNotFoundError as `program` does, and subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "nginx.conf").write_text(_TELL.format(modules=load_lines(named)))
        told = subprocess.run(
            command(Path(folder), named=named), capture_output=True, text=True, check=False, timeout=TIME
        )
    return told.stdout if told.returncode == 0 else ""
