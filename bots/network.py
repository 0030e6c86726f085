"""Says in words why a server gave no answer, where the libraries have names of classes."""

import os

import aiohttp


def why_unanswered(error: BaseException) -> str:
    """Return why there was no answer, without any address: some of them are secrets."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorDNSError():
            return "its name is not known"
        case aiohttp.ClientSSLError():
            return "no secure connection can be made"
        case aiohttp.InvalidURL():
            return "the address cannot be used"
        case aiohttp.ClientResponseError():
            return f"status {error.status}"
        case OSError() if error.errno:
            return os.strerror(error.errno).lower()
    return "the connection was cut"
