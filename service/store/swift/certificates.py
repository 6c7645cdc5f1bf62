"""Certificates: whether the trusted ones can be used, and which one a server shows."""

from __future__ import annotations

import hashlib
import socket
import ssl
from urllib.parse import urlsplit

_PATIENCE = 2.0  # seconds
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of openssl/x509_vfy.h


def unusable_certificates(file: str) -> str:
    """Why the certificates of `store.swift.cacert` cannot be used, empty where they can."""
    if not file:
        return ""
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # an ssl.SSLError is one, of a file without certificates
        why = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        return f"store.swift.cacert (OS_CACERT) is {file}, which cannot be used: {why}"
    return ""


def shown_by(url: str) -> str:
    """The certificate that the server of a URL shows, by its subject, where that can be read, and its fingerprint as
    `openssl x509 -fingerprint -sha256` prints it. Empty where the server cannot be asked."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 443)
    try:
        certificate = ssl.get_server_certificate(address, timeout=_PATIENCE)
    except (OSError, ValueError):
        return ""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest().upper()
    fingerprint = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    return ", ".join(filter(None, (_subject(address, certificate), f"SHA-256 {fingerprint}")))


def _subject(address: tuple[str, int], certificate: str) -> str:
    """The subject, which Python tells of a certificate that it trusts: this one is trusted here, by itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    try:
        context.load_verify_locations(cadata=certificate)
        with socket.create_connection(address, timeout=_PATIENCE) as plain, context.wrap_socket(plain) as secure:
            found = secure.getpeercert() or {}
    except (OSError, ValueError):
        return ""
    parts = [f"{key}={value}" for group in found.get("subject", ()) for key, value in group]  # type: ignore[str-unpack]
    return f"subject {', '.join(parts)}" if parts else ""
