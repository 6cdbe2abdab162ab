# SPDX-License-Identifier: Apache-2.0
"""The command line's words for the library's settings and remedies."""

from __future__ import annotations

from osc_imgurl import errors
from osc_imgurl.settings.table import BY_NAME, Setting

_COMMANDS = {
    errors.ACTIVATE_IMAGE: 'openstack image set --activate',
    errors.COPY_IMAGE: 'openstack image import --method copy-image --store <store>',
    errors.CREATE_URL: 'openstack image temp url create',
    errors.DELETE_COPIES: 'openstack image temp url copy delete',
    errors.FINISH_ROTATION: 'openstack image temp url key rotate --finish --longest <duration>',
    errors.LIST_KEYS: 'openstack image temp url key list',
    errors.ROTATE_KEY: 'openstack image temp url key rotate',
    errors.SAVE_IMAGE: 'openstack image save',
    errors.SET_GIVEN_KEY: 'openstack image temp url key set --key-file <path>',
    errors.SET_KEY: 'openstack image temp url key set --generate',
}
_OPTIONS = {'expires': '--expires-at', 'prefix': '--object-prefix',
            errors.TRUSTED_AUTHORITY: '--os-cacert',
            errors.CLIENT_CERTIFICATE: '--os-cert, --os-key'}


def option_of(setting: Setting) -> str | None:
    """Return the option of a setting, or None."""
    if setting.switch:
        return f'--{setting.switch}'
    return _option(setting.name) if setting.metavar else None


def typed(name: str) -> str:
    """Return what is typed for a setting, a part of a request, or what else a user can do.

    A setting without an option is called by its name.
    """
    if name in _COMMANDS:
        return _COMMANDS[name]
    if name in BY_NAME:
        return option_of(BY_NAME[name]) or name
    return _OPTIONS.get(name) or _option(name)


def _option(name: str) -> str:
    return '--' + name.replace('_', '-')
