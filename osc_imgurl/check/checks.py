# SPDX-License-Identifier: Apache-2.0
"""Why does this temporary URL not work? Swift answers "401 Unauthorized" to every fault.

The checks have the order of its middleware (``TempURL.__call__``). The first to fail is the cause.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from osc_imgurl.check.facts import (
    ACCOUNT,
    FAIL,
    IMAGE,
    IP_RANGE,
    KEY,
    NOT_ASKED,
    NOT_TRIED,
    PASS,
    RANGES,
    REQUEST,
    SERVER,
    STORE,
    Facts,
    Finding,
    Report,
    failed,
    failed_with,
    not_swift,
    other_size,
    passed,
    skipped,
)
from osc_imgurl.check.signature import check_key, check_method, check_path, check_query
from osc_imgurl.copies.container import CopyContainer
from osc_imgurl.copies.copier import or_copied
from osc_imgurl.copies.copy import Copy
from osc_imgurl.errors import (
    ImageUnacceptable,
    ImgurlError,
    InvalidParameterValue,
    UntrustedLocation,
)
from osc_imgurl.glance.image import Image, validate_active
from osc_imgurl.settings.table import Settings, expiry
from osc_imgurl.swift.answers import DIGESTS_OF_A_SILENT_CLUSTER, PREFERRED_DIGESTS
from osc_imgurl.swift.endpoint import OfflineSwift, endpoint_of, type_of
from osc_imgurl.swift.probe import Answer, own_address
from osc_imgurl.target.resolve import in_container_of_its_own, resolve, signing_key
from osc_imgurl.target.store import Cloud, Store, choose_store, store_of_path
from osc_imgurl.target.trust import validate_in_swift
from osc_imgurl.tempurl.options import (
    URLOptions,
    format_expires,
    format_remaining,
    mistaken_unit,
    validate_method,
)
from osc_imgurl.tempurl.signing import Parameters, allows, sign
from osc_imgurl.tempurl.url import TempURL, parse

if TYPE_CHECKING:
    from osc_imgurl.cache.base import Entry

# How far this machine's clock may differ from the server's, in seconds.
CLOCK_MARGIN = 30


def _image(facts: Facts) -> Finding:
    image = facts.image
    if not isinstance(image, Image):
        return skipped(image)
    validate_active(image)
    return passed(f'image {image.name or image.id} is active')


def _store(facts: Facts) -> Finding:
    if facts.named_link:
        return _store_of_links(facts)
    return _store_of_copies(facts.copy) if facts.copy_container else _store_of_glance(facts)


def _store_of_links(facts: Facts) -> Finding:
    link = facts.link
    if link is None:
        return skipped('the URL is for a link, and these credentials see none of that name')
    return passed(f'a link to image {link.image_id}, which ends at {format_expires(link.expires)},'
                  f' in {format_remaining(link.expires, facts.now)}')


def _store_of_glance(facts: Facts) -> Finding:
    if not isinstance(facts.image, Image):
        return skipped('the image is not known')
    try:
        validate_in_swift(facts.image, facts.settings, facts.cloud.object_store)
        if isinstance(facts.location, UntrustedLocation):
            if facts.answer.has_object(None):
                return passed(f'Swift has the object; {facts.location.problem}')
            raise facts.location
    except ImageUnacceptable as error:
        raise or_copied(error, facts.image, URLOptions(facts.method), facts.settings,
                        facts.cloud.object_store) from None
    if facts.location:
        where = 'Glance\'s S3 store on this gateway' if facts.location.in_s3 else 'Swift'
        return passed(f'the image is in {where}: {facts.location.url}')
    return skipped('this cloud does not show the image\'s location')


def _store_of_copies(copy: Copy | ImgurlError | None) -> Finding:
    if isinstance(copy, InvalidParameterValue):
        return failed_with(copy)
    if isinstance(copy, ImgurlError):
        return skipped(copy.problem.removesuffix('.'))
    if copy is None:
        return skipped('the container is for copies, and has none of this image')
    return passed('a copy of the image in your own account, '
                  + (f'deleted at {format_expires(copy.delete_at)}' if copy.delete_at
                     else 'which is never deleted'))


def _server(facts: Facts) -> Finding:
    answer, endpoint = facts.answer, facts.endpoint
    if facts.url is None or answer.failure in (NOT_TRIED, NOT_ASKED):
        return skipped(answer.failure)
    if facts.foreign:
        return failed(facts.foreign, 'If it is a Swift, or a proxy in front of it, that you trust,'
                      ' name it. Else make a new URL.', 'endpoint_url')
    if answer.status is None:
        return failed(f'{endpoint} cannot be reached from here: {answer.failure}',
                      *(answer.remedy or ('Correct the endpoint, or see to network or server.',
                                          'endpoint_url')))
    if answer.status >= 500 or answer.status == 429:
        return failed(f'{endpoint} answers HTTP {answer.status}, not the object',
                      'Try again; if it fails again, report it to the operator of Swift'
                      f' (transaction {answer.transaction or "unknown"}).')
    if answer.transaction is None:
        return failed(not_swift(answer, str(endpoint)),
                      'Correct the endpoint, or have the proxy in between pass the whole path and'
                      ' query on.', 'endpoint_url')
    return passed(f'Swift answers (transaction {answer.transaction})')


def _clock(facts: Facts) -> Finding:
    server = facts.answer.date
    if server is None:
        return skipped('the answer has no date')
    ahead = int(server - facts.now)
    if abs(ahead) <= CLOCK_MARGIN:
        return passed(f'the server\'s clock differs from this machine\'s by {abs(ahead)} s')
    expired = ''
    if facts.parsed and facts.now <= facts.parsed.expires < server:
        expired = '; by its clock the URL has expired'
    return failed(f'the server\'s clock is {abs(ahead)} s {"ahead of" if ahead > 0 else "behind"}'
                  f' this machine\'s{expired}',
                  'Set both clocks (NTP), or make URLs with a longer duration.', 'duration')


def _tempurl(facts: Facts) -> Finding:
    capabilities = facts.capabilities
    if isinstance(capabilities, str):
        return skipped(capabilities)
    capabilities.validate_tempurl()
    return passed('the cluster supports temporary URLs' if capabilities.tempurl
                  else 'the cluster does not say whether it supports temporary URLs')


def _expiry(facts: Facts) -> Finding:
    if facts.parsed is None:
        return skipped(facts.answer.failure)
    expires = facts.parsed.expires
    # The clocks agree but for the margin, or this is not reached.
    now = max(facts.now, facts.answer.date or 0)
    if expires < now:
        return failed(f'{format_remaining(expires, now)}, at {format_expires(expires)}',
                      'Make a new URL, or one with a longer duration.', 'duration')
    if unit := mistaken_unit(expires):
        return failed(f'the expiry {expires} is in {unit}, and Swift reads it as seconds: the URL'
                      f' expires in {format_remaining(expires, now)}',
                      'Make a new URL, and replace the key: nothing else ends this one.')
    return passed(f'expires at {format_expires(expires)}, in {format_remaining(expires, now)}')


def _digest(facts: Facts) -> Finding:
    if facts.parsed is None:
        return skipped(facts.answer.failure)
    digest, capabilities = facts.parsed.digest, facts.capabilities
    if isinstance(capabilities, str):
        return skipped(capabilities)
    capabilities.validate_digest(digest)
    if not capabilities.supports(digest):
        return failed(f'the cluster does not say that it supports {digest}, and older ones support'
                      f' {", ".join(DIGESTS_OF_A_SILENT_CLUSTER)} only',
                      f'Sign with {", ".join(DIGESTS_OF_A_SILENT_CLUSTER)}.', 'digest')
    return passed(f'the cluster supports {digest}')


def _ip_range(facts: Facts) -> Finding:
    url = facts.parsed
    if url is None or url.ip_range is None:
        return skipped('the URL works from every address')
    # With a range that can be read, and not for a RADOS Gateway.
    Parameters(url.endpoint, url.path, url.expires, URLOptions(ip_range=url.ip_range))
    address = own_address(facts.endpoint.url)
    if address is None:
        return skipped('the address of this machine, as Swift sees it, is not known')
    if ipaddress.ip_address(address) in ipaddress.ip_network(url.ip_range):
        return passed(f'this machine\'s address {address} is in {url.ip_range}')
    return failed(f'this machine\'s address {address} is not in {url.ip_range}',
                  'Use the URL from there, or make one with another range.', 'ip_range')


def _account(facts: Facts) -> Finding:
    path, location = facts.path, facts.located
    if facts.answer.failure == NOT_TRIED:
        return failed(NOT_TRIED, 'Use credentials whose catalog shows the gateway, or make a URL'
                      ' with the account.', 'account')
    if path.account is None:
        return skipped('a RADOS Gateway without accounts in its URLs')
    located = location.account if location else None
    advice = 'Make a URL with that account, and with its key.', 'account', 'key_file'
    if located and located != path.account:
        return failed(f'the image lies in account {located} by its own location, and the URL says'
                      f' {path.account}', *advice)
    if not facts.in_its_place:
        for other in facts.accounts:
            if other != path.account and facts.holds(other, path.container):
                return failed(f'the object is in account {other}, and the URL says'
                              f' {path.account}', *advice)
    if located or facts.in_its_place:
        return passed(f'the object is in {path.account}')
    return skipped(f'no other account than {path.account} is known')


def _container(facts: Facts) -> Finding:
    path, location = facts.path, facts.located
    located = location.container if location else None
    if located and located != path.container:
        return failed(f'the image lies in container {located} by its own location, and the URL'
                      f' says {path.container}', 'Make a URL with that container.', 'container')
    if facts.in_its_place:
        return passed(f'the object is in {path.container}')
    for other in facts.other_containers:
        if facts.holds(path.account, other):
            return failed(f'the object is in container {other}, and the URL says'
                          f' {path.container}',
                          'Give the right seed or container, or that the store is multi-tenant.',
                          'multiple_containers_seed', 'container', 'multi_tenant')
    if not facts.keys.container and not facts.named_link:
        return failed(f'there is no container {path.container} in {path.account}',
                      'Give the place of the images, often in an account of Glance\'s service'
                      ' project, and the key, or use that project\'s credentials. Or have the image'
                      ' copied.', 'account', 'container', 'multiple_containers_seed', 'key_file',
                      'copy')
    return skipped('no other container is known to have the object')


def _key(facts: Facts) -> Finding:
    if facts.no_key:
        raise facts.no_key
    return check_key(facts)


def _object_of_link(facts: Facts) -> Finding:
    answer = facts.answer
    if answer.works:
        return passed('the link is there, and so is the data of its image')
    if answer.status == 409:
        return failed('the data of the image is another than when the link was made', 'Make another'
                      ' link, if the image is still the one that you mean.', 'revocable')
    if answer.status != 404:
        return skipped('whether the link is there is not known')
    if facts.link or answer.target:
        return failed('the link is there, and the data of its image is gone',
                      'Make a link to another image.')
    return failed('the link is revoked or expired, or was never there', 'Make another.',
                  'revocable')


def _object(facts: Facts) -> Finding:
    if facts.named_link:
        return _object_of_link(facts)
    if facts.in_its_place:
        found = _data(facts)
        if facts.answer.segmented and facts.endpoint.radosgw and found.result != FAIL:
            return dataclasses.replace(found, detail=f'{found.detail}. {RANGES}',
                                       remedy='Have the image copied.', names=('copy',))
        return found
    if facts.in_its_place is None:
        return skipped('these credentials cannot see whether the object is there')
    if facts.copy_container:
        return failed(f'there is no copy {facts.path.object} in container {facts.path.container},'
                      ' or no more', 'Make another.', 'copy')
    return failed(f'there is no object {facts.path.object} in container'
                  f' {facts.path.container}',
                  'Its data is gone from Swift: upload the image again, or delete it.'
                  if isinstance(facts.image, Image) else 'Correct the object\'s name.')


def _data(facts: Facts) -> Finding:
    """Compare an object that is there with its image."""
    image, md5 = facts.image, facts.answer.md5
    if (not isinstance(image, Image) or image.id != facts.path.object or facts.copy_container
            or not facts.answer.works):
        return passed('the object is there')
    same = image.has_data(None, md5)
    if same is False:
        return failed(f'the object is not the data of the image: its MD5 is {md5}, and Glance says'
                      f' {image.checksum}', 'Give the account and the container that Glance uses,'
                      ' or have the image copied.', 'account', 'container', 'copy')
    if same:
        return passed('the object is there, and its MD5 is the image\'s')
    if facts.located and facts.located.account:
        return passed('the object is there, where Glance says')
    return skipped('the object is there; it has no MD5 to compare with Glance\'s checksum')


def _size(facts: Facts) -> Finding:
    image, found = facts.image, facts.answer.size
    wanted = image.size if isinstance(image, Image) else None
    if wanted is None or found is None:
        return skipped('the size of the image or the object is not known')
    if wanted != found:
        return failed(other_size(wanted, found),
                      'The data in Swift is not the image\'s: upload the image again.')
    return passed(f'image and object have {found} bytes')


def _request(facts: Facts) -> Finding:
    answer = facts.answer
    said = f'HEAD to {facts.endpoint}, without a token: HTTP {answer.status}'
    if answer.works:
        return passed(said)
    if answer.status is None:
        return skipped(answer.failure)
    if facts.origin and not allows(
            facts.origin.signed.method, 'HEAD', facts.endpoint.radosgw):
        return skipped(f'a URL for {facts.origin.signed.method} answers no HEAD')
    remedy = ('The key is wrong, or the URL has been altered: to find out, use the credentials'
              ' of the project that owns the account, or give the key.')
    if facts.parsed and facts.parsed.ip_range is not None:
        remedy = ('Swift may see another address of this machine than is in the IP range, behind a'
                  f' proxy for example. Else: {remedy[0].lower()}{remedy[1:]}')
    return failed(said, remedy, 'key_file')


CHECKS: Mapping[str, Callable[[Facts], Finding]] = {
    IMAGE: _image, STORE: _store, SERVER: _server, 'clock': _clock, 'tempurl': _tempurl,
    'expiry': _expiry, 'digest': _digest, IP_RANGE: _ip_range, ACCOUNT: _account,
    'container': _container, KEY: _key, 'path': check_path, 'query': check_query,
    'method': check_method, 'object': _object, 'size': _size, REQUEST: _request}


_OF_SIGNATURE = ('expiry', KEY, 'path', 'query', 'method')


def _in_range(facts: Facts) -> str:
    ranged = facts.parsed is not None and facts.parsed.ip_range is not None
    return 'this machine may use the URL' if ranged else ''


def _still_accepted(facts: Facts) -> str:
    far = facts.parsed is not None and mistaken_unit(facts.parsed.expires)
    return '' if far else 'Swift still accepts the URL'


# What a working answer proves; empty if it proves nothing about this URL.
_PROVEN: Mapping[str, Callable[[Facts], str]] = {
    'tempurl': lambda facts: 'Swift accepts the URL',
    'expiry': _still_accepted,
    'digest': lambda facts: 'Swift accepts the digest',
    IP_RANGE: _in_range,
    KEY: lambda facts: 'Swift knows the key',
    'path': lambda facts: 'Swift accepts the signature',
    'query': lambda facts: 'Swift accepts the signature'}


def make(name: str, facts: Facts) -> Finding:
    """Make a check; an error of the rules that it shares with new URLs is its failure.

    An answer that works proves more than the check.
    """
    try:
        finding = CHECKS[name](facts)
    except ImgurlError as error:
        finding = failed_with(error)
    # Visible keys prove more: none of them signed the URL.
    shown = name == KEY and facts.keys.by_slot
    if finding.result != PASS and facts.answer.works and name in _PROVEN and not shown:
        proven = _PROVEN[name](facts)
        return passed(proven) if proven else finding
    return finding


def diagnose(url: str | TempURL, settings: Settings, cloud: Cloud, now: float, *,
             method: str = 'GET', cached: Sequence[Entry] = (),
             image: Image | None = None, answer: Answer | None = None) -> Report:
    """Check a temporary URL.

    :param url: as text, or taken apart.
    :param cloud: its probe makes the request.
    :param now: Unix time, seconds.
    :param method: the method for which the URL will be used.
    :param cached: the entries of the cache: they help with altered URLs and replaced keys.
    :param image: the image, if it was found before.
    :param answer: the answer to a HEAD through the URL, if one was made before, at an endpoint of
        the catalog or the settings.
    :raises InvalidParameterValue: it is not a temporary URL, or the method is unknown.
    """
    parsed = url if isinstance(url, TempURL) else parse(
        url, type_of(url, settings, cloud.object_store))
    store = store_of_path(parsed.path, settings, cloud.object_store)
    return _run(Facts(
        parsed.path, endpoint_of(parsed.endpoint, parsed.path.account, store.settings,
                                 store.swift),
        validate_method(method), now, store.settings,
        dataclasses.replace(cloud, object_store=store.swift),
        url if isinstance(url, str) else url.url, parsed, cached, image, answer,
        own=answer is not None))


def diagnose_image(reference: str, settings: Settings, cloud: Cloud, now: float, *,
                   method: str = 'GET', object_name: str | None = None,
                   cached: Sequence[Entry] = ()) -> Report:
    """Check a new temporary URL for an image, or for its copy if the settings want copies.

    The URL is tried at the cluster's own endpoint, even if the cluster says that it will refuse it.

    :param reference: the image's UUID, ``glance://host/UUID``, or its name.
    :param cloud: needs Glance, Swift and a probe.
    :param now: Unix time, seconds.
    :param method: the method of the new URL.
    :param object_name: the object to sign explicitly, in place of the image's.
    :raises InvalidParameterValue: the method is unknown.
    """
    options, cloud = URLOptions(method, object=object_name), cloud.memoized()
    swift, check = cloud.object_store, IMAGE
    try:
        image = cloud.images.find(reference)
        check = STORE
        container = CopyContainer(settings, swift)
        copied = container.copies_of(image.id) if settings.copy and not object_name else []
        store = Store(settings, swift) if copied else choose_store(image, settings, swift)
        check = ACCOUNT
        target = container.target(copied[0].name) if copied else in_container_of_its_own(
            resolve(image, store, object_name), image, store)
    except UntrustedLocation as error:
        return _stopped(STORE, or_copied(error, image, options, store.settings, store.swift))
    except ImgurlError as error:
        return _stopped(check, error)
    settings, swift = store.settings, store.swift
    endpoint = endpoint_of(target.endpoint.cluster, target.path.account, settings, swift)
    facts = Facts(target.path, endpoint, options.method, now, settings,
                  dataclasses.replace(cloud, object_store=swift), cached=cached,
                  known_image=image, own=True)
    try:
        key = signing_key(target, store)
    except ImgurlError as error:
        return _run(dataclasses.replace(
            facts, no_key=or_copied(error, image, options, settings, swift)))
    try:
        digest = swift.capabilities(endpoint).choose_digests(settings.digest, options.method)[-1]
    except ImgurlError:
        digest = settings.digest or PREFERRED_DIGESTS[0]
    signed = sign(Parameters(
        endpoint.url, target.path, expiry(settings, options, now), options, digest), key)
    return _run(dataclasses.replace(facts, url=signed.url, parsed=signed))


def _run(facts: Facts) -> Report:
    """Make the checks; after the first failure, only the request.

    What a given key tells of the signature needs no server.
    """
    findings: list[Finding] = []
    for name in CHECKS:
        first = Report(tuple(findings)).first_failure
        by_given_key = (first and first.check == SERVER and name in _OF_SIGNATURE
                        and facts.settings.key and facts.parsed)
        if (by_given_key and facts.answer.status is None and not facts.foreign
                and not facts.cloud.offline):
            # A server that does not answer is waited for once.
            offline = dataclasses.replace(facts.cloud, object_store=OfflineSwift())
            facts = dataclasses.replace(facts, cloud=offline, known_answer=facts.answer, own=True)
        if first and name != REQUEST and not by_given_key:
            finding = skipped(f'the check {first.check} fails')
        else:
            finding = make(name, facts)
            if first and finding.remedy and name == REQUEST:
                finding = dataclasses.replace(
                    finding, remedy=f'See the check {first.check}.', names=())
        findings.append(dataclasses.replace(finding, check=name))
    return Report(tuple(findings))


def _stopped(check: str, error: ImgurlError) -> Report:
    """Return a report of one failure: there is no URL for the other checks."""
    return Report((dataclasses.replace(failed_with(error), check=check),))
