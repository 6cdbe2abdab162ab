# SPDX-License-Identifier: Apache-2.0
"""Why does this temporary URL not work? Swift answers "401 Unauthorized" whatever the cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from osc_imgurl.check.checks import CHECKS, make
from osc_imgurl.check.facts import (
    ACCOUNT,
    IMAGE,
    KEY,
    REQUEST,
    STORE,
    Facts,
    Finding,
    Report,
    failed_with,
    skipped,
)
from osc_imgurl.copies.home import Home
from osc_imgurl.errors import ImgurlError, UntrustedLocation
from osc_imgurl.glance.image import Image
from osc_imgurl.settings.table import Settings
from osc_imgurl.swift.answers import PREFERRED_DIGESTS
from osc_imgurl.swift.endpoint import OfflineSwift, endpoint_of, type_by_catalog
from osc_imgurl.swift.probe import Answer
from osc_imgurl.target.resolve import Target, resolve, signing_key
from osc_imgurl.target.store import Cloud, Store, choose_store, store_of_path
from osc_imgurl.tempurl.options import URLOptions, validate_method
from osc_imgurl.tempurl.signing import Parameters, sign
from osc_imgurl.tempurl.url import parse

if TYPE_CHECKING:
    from osc_imgurl.cache.base import Entry


def diagnose(url: str, settings: Settings, cloud: Cloud, now: float, *, method: str = 'GET',
             cached: Sequence[Entry] = (), image: Image | None = None,
             answer: Answer | None = None) -> Report:
    """Return what is right and wrong with a temporary URL.

    :param cloud: who can be asked; its probe makes the request.
    :param now: Unix time, seconds.
    :param method: the method that the URL is to be used with.
    :param cached: what the cache holds: it knows of URLs that were altered, and of keys that
        have been replaced.
    :param image: the image, where it has been found already.
    :param answer: what a HEAD through the URL has answered already, at an endpoint that the catalog
        or the settings name.
    :raises InvalidParameterValue: it is not a temporary URL, or the method is unknown.
    """
    parsed = parse(url, settings.endpoint_type or type_by_catalog(url, cloud.object_store))
    store = store_of_path(parsed.path, settings, cloud.object_store)
    return _run(Facts(
        parsed.path, endpoint_of(parsed.endpoint, parsed.path.account, store.swift),
        validate_method(method), now, store.settings,
        dataclasses.replace(cloud, object_store=store.swift), url, parsed, cached, image, answer,
        own=answer is not None))


def diagnose_image(reference: str, settings: Settings, cloud: Cloud, now: float, *,
                   method: str = 'GET', object_name: str | None = None,
                   cached: Sequence[Entry] = ()) -> Report:
    """Return what is right and wrong with a new temporary URL of an image.

    Where the cluster says that it will refuse the URL, it is made and tried all the same; at
    the cluster's own endpoint.

    :param reference: the image's UUID, ``glance://host/UUID``, or its name.
    :param cloud: who can be asked; all of it is needed.
    :param now: Unix time, seconds.
    :param method: the method that the URL is to allow.
    :param object_name: the object to be signed explicitly, in place of the image's.
    :raises InvalidParameterValue: the method is unknown.
    """
    method = validate_method(method)
    try:
        image = cloud.images.find(reference)
    except ImgurlError as error:
        return _stopped(IMAGE, error)
    try:
        target = None if object_name else _target_of_copy(image, settings, cloud)
        store = (Store(settings, cloud.object_store) if target
                 else choose_store(image, settings, cloud.object_store))
    except ImgurlError as error:
        return _stopped(STORE, error)
    try:
        target = target or resolve(image, store, object_name)
    except UntrustedLocation as error:
        return _stopped(STORE, error)
    except ImgurlError as error:
        return _stopped(ACCOUNT, error)
    settings, swift = store.settings, store.swift
    endpoint = endpoint_of(target.endpoint.cluster, target.path.account, swift)
    facts = Facts(target.path, endpoint, method, now, settings,
                  dataclasses.replace(cloud, object_store=swift), cached=cached,
                  known_image=image, own=True)
    try:
        key = signing_key(target, store)
    except ImgurlError as error:
        return _run(facts, error)
    try:
        digest = swift.capabilities(endpoint).choose_digests(settings.digest, method)[-1]
    except ImgurlError:
        digest = settings.digest or PREFERRED_DIGESTS[0]
    signed = sign(Parameters(
        endpoint.url, target.path, int(now + settings.duration), URLOptions(method), digest), key)
    return _run(dataclasses.replace(facts, url=signed.url, parsed=signed))


def _target_of_copy(image: Image, settings: Settings, cloud: Cloud) -> Target | None:
    """Return where an image's copy is, if the settings want copies and there is one."""
    if not settings.copy or isinstance(cloud.object_store, OfflineSwift):
        return None
    home = Home(settings, cloud.object_store)
    return home.target(image.id) if home.find(image.id) else None


def _run(facts: Facts, no_key: ImgurlError | None = None) -> Report:
    """Make the checks; after the first that fails only the request itself still says something.

    :param no_key: why there is no key to sign with.
    """
    findings: list[Finding] = []
    for name in CHECKS:
        first = Report(tuple(findings)).first_failure
        if first and name != REQUEST:
            findings.append(_not_made(name, first.check))
            continue
        finding = failed_with(no_key) if name == KEY and no_key else make(name, facts)
        if first and finding.remedy:
            finding = dataclasses.replace(finding, remedy=f'See the check {first.check}.', names=())
        findings.append(dataclasses.replace(finding, check=name))
    return Report(tuple(findings))


def _stopped(name: str, error: ImgurlError) -> Report:
    """Return that one check fails, so that no other can be made."""
    return Report(tuple(dataclasses.replace(failed_with(error), check=name) if each == name
                        else _not_made(each, name) for each in CHECKS))


def _not_made(name: str, first: str) -> Finding:
    return dataclasses.replace(skipped(f'the check {first} fails'), check=name)
