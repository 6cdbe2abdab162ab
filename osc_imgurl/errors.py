# SPDX-License-Identifier: Apache-2.0
"""The errors of this library. Each message is one line: what is wrong, and what to do."""

from __future__ import annotations


class ImgurlError(Exception):
    """The base of every error that this library raises on purpose.

    :ivar problem: what is wrong.
    :ivar remedy: what to do; empty where the problem says it, or nothing helps.
    """

    def __init__(self, problem: str, remedy: str = '') -> None:
        super().__init__(f'{problem} {remedy}' if remedy else problem)
        self.problem = problem
        self.remedy = remedy


class MissingParameterValue(ImgurlError):
    """A value is needed, was not told and could not be looked up either."""


class InvalidParameterValue(ImgurlError):
    """A value was told and is not one that can be used."""


class ImageNotFound(ImgurlError):
    """No image has the given UUID or name."""


class ImageNotUnique(ImgurlError):
    """More than one image has the given name."""


class ImageNotAuthorized(ImgurlError):
    """Glance does not let these credentials do what was asked."""


class ImageUnacceptable(ImgurlError):
    """The image exists, and no temporary URL can be made for it as it is."""


class LocationNotBelieved(ImageUnacceptable):
    """Whoever wrote the image's location may have meant another object than the image's."""


class ImageDownloadFailed(ImgurlError):
    """The image's data could not be read, or is not what its hash says."""


class GlanceFailed(ImgurlError):
    """Glance could not be reached, or answered with an error."""


class ObjectStoreFailed(ImgurlError):
    """Swift could not be reached, or answered with an error."""


class ObjectStoreNotAuthorized(ObjectStoreFailed):
    """Swift does not show these credentials the account or container."""


class TempURLRefused(ImgurlError):
    """Swift refuses a temporary URL that has just been made."""


class CacheFailed(ImgurlError):
    """The cache cannot be used."""


def one_line(error: Exception) -> str:
    """Return another library's message as one line."""
    return ' '.join(str(error).split()) or type(error).__name__
