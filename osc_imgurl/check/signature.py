# SPDX-License-Identifier: Apache-2.0
"""Checks of a URL's signature: key, path, query, method."""

from __future__ import annotations

from osc_imgurl.check.facts import (
    GIVEN_KEY,
    Facts,
    Finding,
    failed,
    passed,
    skipped,
)
from osc_imgurl.errors import CREATE_URL, LIST_KEYS, SET_GIVEN_KEY, SET_KEY
from osc_imgurl.swift.answers import Capabilities
from osc_imgurl.tempurl.options import format_expires
from osc_imgurl.tempurl.signing import allows, signed_paths

_UNKNOWN = skipped('without the key, what was signed is not known', 'Give the key.', 'key_file')


def check_key(facts: Facts) -> Finding:
    """Is the URL's key in one of the slots?"""
    keys, origin = facts.keys, facts.origin
    if origin and origin.key in keys.by_slot:
        return _mistake(facts, 'key') or passed(
            f'signed with {origin.key}, fingerprint {origin.key_fingerprint}')
    if keys.unseen:
        return _given_key(facts, f'which keys are set cannot be seen: {keys.unseen}')
    whose = f'{facts.path.account or "this account"} or on {facts.path.container}'
    if not keys.by_slot:
        return failed(f'there is no temporary URL key on {whose}',
                      'Set one, and make a new URL.', SET_KEY)
    return _foreign_key(facts, whose)


def _given_key(facts: Facts, unseen: str) -> Finding:
    """Is it the given key that signed the URL? What is set is not known."""
    given, origin, answered = facts.settings.key, facts.origin, facts.answer.status is not None
    if given and origin is None:
        return failed(f'not signed with the given key, fingerprint {given.fingerprint}, or altered'
                      f' in more than one place{f"; {unseen}" if answered else ""}',
                      'Give the key that signed it, or make a new URL.', 'key_file', CREATE_URL)
    if origin is None or origin.key != GIVEN_KEY:
        return skipped(unseen)
    by = f'signed with the given key, fingerprint {origin.key_fingerprint}'
    return _mistake(facts, 'key') or (skipped(f'{by}; {unseen}') if answered else passed(by))


def _mistake(facts: Facts, part: str) -> Finding | None:
    """Return the signer's mistake in a part of the signed text, if known."""
    signed = facts.origin and facts.origin.signed
    if not (signed and signed.mistake and signed.mistake.part == part):
        return None
    return failed(signed.mistake.name,
                  f'Sign this with the key as it is set, and nothing else: {signed.message!r}.')


def _foreign_key(facts: Facts, whose: str) -> Finding:
    origin = facts.origin
    if origin is None:
        shown = ', '.join(f'{slot} {key.fingerprint}'
                          for slot, key in facts.keys.by_slot.items())
        return failed(f'signed with none of the keys that are set ({shown}), or altered in more'
                      ' than one place', 'Make a new URL; its key must be in a slot.', LIST_KEYS)
    if origin.key == GIVEN_KEY:
        return failed(f'signed with the given key {origin.key_fingerprint}, which is in no slot on'
                      f' {whose}', 'Set it, or sign with one that is set.', SET_GIVEN_KEY)
    return failed(f'signed with the key {origin.key_fingerprint}, which has been replaced or'
                  ' removed since', 'Make a new URL.', CREATE_URL)


def check_path(facts: Facts) -> Finding:
    """Was the URL's path signed?"""
    url, origin = facts.parsed, facts.origin
    if url and url.prefix is not None and not url.path.object.startswith(url.prefix):
        return failed(f'the object {url.path.object} does not begin with the prefix'
                      f' {url.prefix!r}', 'Make a URL for that object.')
    if url is None or origin is None:
        return _UNKNOWN
    signed = origin.signed
    if signed.prefix != url.prefix or signed.path in signed_paths(url):
        return _mistake(facts, 'path') or passed('the path is the one that was signed')
    return failed(f'the path has been altered: {signed.path} was signed, and the URL says'
                  f' {signed_paths(url)[0]}', 'Make a URL for that object.')


def check_query(facts: Facts) -> Finding:
    """Were expiry, prefix and IP range signed?"""
    url, origin = facts.parsed, facts.origin
    if url is None or origin is None:
        return _UNKNOWN
    signed = origin.signed
    parts = (
        ('expiry', format_expires(signed.expires), format_expires(url.expires)),
        ('prefix', signed.prefix, url.prefix), ('IP range', signed.ip_range, url.ip_range))
    altered = [f'the {name} has been altered: '
               f'{"none" if was is None else repr(was)} was signed, and the URL says'
               f' {"none" if now is None else repr(now)}'
               for name, was, now in parts if was != now]
    if altered:
        return failed('; '.join(altered),
                      'Use the URL as it was made, or make a new one with these values.')
    return _mistake(facts, 'query') or passed(
        'expiry, prefix and IP range are those that were signed')


def check_method(facts: Facts) -> Finding:
    """Does the URL work for the user's method?"""
    method, origin, capabilities = facts.method, facts.origin, facts.capabilities
    if isinstance(capabilities, Capabilities):
        capabilities.validate_method(method)
    advice = f'Make a URL for {method}.', 'method'
    if origin:
        signed = origin.signed.method
        if not allows(signed, method, facts.endpoint.radosgw):
            return failed(f'the URL is signed for {signed}, and not good for {method}', *advice)
        return _mistake(facts, 'method') or passed(f'signed for {signed}')
    if facts.answer.works and method == 'HEAD':
        return passed('Swift answers a HEAD')
    if facts.cloud.probe and facts.url and facts.answer.works and method == 'GET':
        answer = facts.cloud.probe.ask(facts.url, 'GET')
        return (passed('Swift answers a GET') if answer.works else
                failed(f'Swift answers a HEAD, and HTTP {answer.status} to a GET', *advice))
    return skipped('without the key, the signed method is not known', 'Give the key.',
                   'key_file')
