"""The exceptions of uploads, beside those of the store and the engine. Their texts are fit for clients.

UploadError
├── NoDirectUploads   the configuration names no incoming container
├── UnknownUpload     the id is none that this gateway gave
├── UploadExpired     its URL, and with it the upload, has ended
├── OtherBytes        what was sent has another SHA-256 than was announced
├── RefusedByHook     the hook of `intake.hook` refuses it
└── HookFailed        the hook gave no answer; carries `retry_after`
"""

from __future__ import annotations


class UploadError(Exception):
    pass


class NoDirectUploads(UploadError):
    pass


class UnknownUpload(UploadError):
    pass


class UploadExpired(UploadError):
    pass


class OtherBytes(UploadError):
    pass


class RefusedByHook(UploadError):
    pass


class HookFailed(UploadError):
    retry_after = 10.0
