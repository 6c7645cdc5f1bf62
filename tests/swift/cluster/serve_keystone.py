"""A real Keystone on loopback: `python serve_keystone.py ROOT`, inside the virtual environment that holds it.

Keeps everything in SQLite below ROOT. Prints its URL when the tables are there and the administrator is known.
"""

from __future__ import annotations

import ctypes
import grp
import importlib
import os
import pwd
import signal
import socket
import subprocess
import sys
from pathlib import Path

import waitress

OPTIONS = """
[DEFAULT]
log_file = {root}/keystone.log
[database]
connection = sqlite:///{root}/keystone.db
# Passwords here are no secrets, and a slow hash would only make slow tests.
[identity]
password_hash_rounds = 4
[token]
expiration = {token_life}
[fernet_tokens]
key_repository = {root}/fernet
[credential]
key_repository = {root}/credential
"""


def main(root: Path, token_life: int) -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v3"
    options = root / "keystone.conf"
    options.write_text(OPTIONS.format(root=root, token_life=token_life))
    owner = [
        "--keystone-user",
        pwd.getpwuid(os.getuid()).pw_name,
        "--keystone-group",
        grp.getgrgid(os.getgid()).gr_name,
    ]
    for command in (
        ["db_sync"],
        ["fernet_setup", *owner],
        ["credential_setup", *owner],
        ["bootstrap", "--bootstrap-password", "admin", "--bootstrap-public-url", url, "--bootstrap-internal-url", url],
    ):
        manage = Path(sys.executable).with_name("keystone-manage")
        subprocess.run([manage, "--config-file", options, *command], check=True, stdout=subprocess.DEVNULL)
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = str(options)
    sys.argv = ["keystone"]  # it parses the command line when it is imported
    keystone = importlib.import_module("keystone.wsgi.api")
    print(url, flush=True)
    waitress.serve(keystone.application, sockets=[listener], threads=4)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
