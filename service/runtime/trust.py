"""Which servers aiohttp's clients trust: those with a certificate that this system trusts.

aiohttp reads the system's certificates twice while it is imported: a tenth of the CPU of a start and 2 MB, and most
gateways send nothing over TLS. So the service imports it without them, and gives its clients a `connector`, which reads
them. A client without one trusts no server.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

VARIABLES = "SSL_CERT_FILE", "SSL_CERT_DIR"
"""Where OpenSSL looks for certificates, SSL_CTX_set_default_verify_paths(3)."""


def import_aiohttp() -> None:
    """Import aiohttp without the system's certificates. For a process without other threads: it changes the environment
    for that moment."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, os.devnull))
    try:
        import aiohttp  # noqa: PLC0415, F401
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def connector() -> aiohttp.TCPConnector:
    """Return connections for one client on the running loop; reads the system's certificates."""
    import aiohttp  # noqa: PLC0415  # not before `import_aiohttp`

    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))  # as aiohttp's own
    return aiohttp.TCPConnector(ssl=context)
