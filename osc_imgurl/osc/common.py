# SPDX-License-Identifier: Apache-2.0
"""What the commands share: the settings' options, and the services on OSC's session."""

from __future__ import annotations

import argparse
import os
import pathlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from osc_imgurl.errors import InvalidParameterValue, MissingParameterValue, logger
from osc_imgurl.links.link import LinkOptions
from osc_imgurl.osc.words import option_of, typed
from osc_imgurl.settings import sources
from osc_imgurl.settings.secret_file import standard_input
from osc_imgurl.settings.table import BY_NAME, CLOUD_KEY, TABLE, Setting, Settings
from osc_imgurl.tempurl.options import URLOptions, format_expires, parse_moment

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion
    from openstack.config.loader import OpenStackConfig

    from osc_imgurl.cache import Cache
    from osc_imgurl.client import Client, Service
    from osc_imgurl.create import ImageTempURL
    from osc_imgurl.osc.output import Progress

LOG = logger(__name__)

# Columns with Glance's metadata of the image; empty without authentication.
IMAGE_FACTS = ('size', 'virtual_size', 'disk_format', 'container_format', 'checksum',
               'os_hash_algo', 'os_hash_value')
# Names for an image, in the help.
NAMING = ('name, ID or glance://<host>/<ID>; an image of your own project comes before others of'
          ' the same name')


def add_setting_options(parser: argparse.ArgumentParser, names: Collection[str]) -> None:
    """Add the options of some settings, in the table's order, and --config-file."""
    for setting in TABLE:
        if setting.name in names and option_of(setting):
            add_setting_option(parser, setting)
    parser.add_argument(
        '--config-file', metavar='<path>', dest='config_files', action='append', default=[],
        help='Read settings from the config file of a service: [glance] of an ironic.conf, or'
             ' the Swift store of a glance-api.conf; of a folder, its .conf files (repeat option'
             ' to read several as one configuration)')


def add_setting_option(parser: Any, setting: Setting) -> None:
    """Add the option of one setting to a parser or a group of it."""
    kind: dict[str, Any] = ({'action': argparse.BooleanOptionalAction} if setting.switch
                            else {'metavar': setting.metavar})
    parser.add_argument(
        option_of(setting), dest=setting.name, **kind,
        help=f'{setting.help} (default: {setting.shown_default}; Env: {setting.environment})')


def add_object_option(parser: argparse.ArgumentParser) -> None:
    """Add the option to sign another object than the image's."""
    parser.add_argument(
        '--object', metavar='<name>', dest='object_name',
        help='Sign this object explicitly, instead of the image\'s')


def add_url_options(parser: argparse.ArgumentParser) -> None:
    """Add what shapes any URL, for one image or for many; the settings' options too."""
    parser.add_argument(
        '--method', metavar='{GET,HEAD,PUT,POST,DELETE}', default='GET',
        help='What the URL allows; a URL for GET, PUT or POST allows HEAD too (default: GET)')
    lifetime = parser.add_mutually_exclusive_group()
    add_setting_option(lifetime, BY_NAME['duration'])
    lifetime.add_argument(
        '--expires-at', metavar='<time>',
        help='When the URL expires, instead of a duration: ISO 8601, such as'
             ' 2030-01-31T18:00:00Z (UTC where no offset is given), or a Unix time')
    parser.add_argument(
        '--ip-range', metavar='<range>',
        help='Let only this address or network use the URL, such as 203.0.113.0/24')
    parser.add_argument(
        '--iso8601', action='store_true',
        help='Write the expiry in the URL as ISO 8601 instead of as a Unix time')
    parser.add_argument(
        '--filename', metavar='<name>',
        help='File name for a browser\'s download; auto: <image name>.<disk format>')
    parser.add_argument(
        '--inline', action='store_true',
        help='Have a browser show the object instead of saving it')
    parser.add_argument(
        '--refresh', action='store_true',
        help='Replace the expiry in the cache by a new one')
    add_setting_options(parser, BY_NAME.keys() - {'duration'})


def add_one_image_options(parser: argparse.ArgumentParser) -> None:
    """Add what shapes the URL of one image only."""
    parser.add_argument(
        '--object-prefix', metavar='<prefix>',
        help='Sign for all objects of the container with this prefix; the image\'s must have it')
    add_object_option(parser)


def add_longest_option(parser: argparse.ArgumentParser) -> None:
    """Add how long a link may live."""
    parser.add_argument(
        '--longest', metavar='<duration>',
        help='With --revocable: how long the URL may live, however often it is extended; its'
             ' signature expires then (default: 365d)')


def read_link_options(parsed_args: argparse.Namespace) -> LinkOptions:
    """Return what a link is to be; a command may have a part of these options."""
    return LinkOptions(**{name: value for name in ('note', 'longest')
                          if (value := getattr(parsed_args, name, None)) is not None})


def read_url_options(parsed_args: argparse.Namespace) -> URLOptions:
    """Return what these options allow a URL."""
    return URLOptions(
        method=parsed_args.method,
        expires=(parse_moment(parsed_args.expires_at)
                 if parsed_args.expires_at is not None else None),
        object=getattr(parsed_args, 'object_name', None), ip_range=parsed_args.ip_range,
        prefix=getattr(parsed_args, 'object_prefix', None), filename=parsed_args.filename,
        inline=parsed_args.inline, iso8601=parsed_args.iso8601)


def argument(text: str) -> str:
    """Return an argument; ``-`` stands for a line on standard input.

    :raises InvalidParameterValue: there is none.
    """
    if text != '-':
        return text
    line = standard_input().readline().decode(errors='replace').strip()
    if not line:
        raise InvalidParameterValue('There is no line on standard input, and - stands for one.')
    return line


def load_settings(client_manager: Any, parsed_args: argparse.Namespace,
                  ignored: Collection[str] = ()) -> Settings:
    """Return the settings in effect for a command.

    :param ignored: settings without a meaning for the command.
    :raises InvalidParameterValue: as :func:`osc_imgurl.settings.sources.load`.
    """
    options = {name: getattr(parsed_args, name, None) for name in BY_NAME}
    region = client_manager._cli_options
    config = region._openstack_config
    return sources.load(options, os.environ, _own_entry(region, config), parsed_args.config_files,
                        ignored, untrusted=_untrusted_files(config), name_option=typed)


def _own_entry(region: CloudRegion, config: OpenStackConfig) -> dict[str, Any]:
    """Return a cloud's entry in the user's files, without its profile.

    A profile may come from a server, or from a file in the current directory.
    """
    entry = config.cloud_config['clouds'].get(region.name) or {}
    of_region = [each.get('values') or {} for each in entry.get('regions') or ()
                 if isinstance(each, dict) and each['name'] == region.region_name]
    own = {name.replace('-', '_'): value for part in (entry, *of_region)
           for name, value in part.items() if value is not None}
    if region.config.get(CLOUD_KEY) and CLOUD_KEY not in own:
        LOG.warning('%s of the profile %s is ignored: only the cloud\'s own entry in clouds.yaml'
                    ' counts', CLOUD_KEY, own.get('profile') or own.get('cloud'))
    return own


def _untrusted_files(config: OpenStackConfig) -> list[str]:
    """Return the files from openstacksdk that untrusted users may have written.

    It reads the current directory first.
    """
    from openstack.config import loader

    explicit = [os.environ.get('OS_CLIENT_CONFIG_FILE'), os.environ.get('OS_CLIENT_SECURE_FILE')]
    folders = (loader.CONFIG_HOME, loader.UNIX_CONFIG_HOME, loader.SITE_CONFIG_HOME,
               loader.UNIX_SITE_CONFIG_HOME)
    # The current directory's path has no symbolic link in it, and may be one of these folders.
    trusted = {pathlib.Path(path) for folder in folders
               for path in (folder, os.path.realpath(folder))}
    # Older releases of openstacksdk do not keep the name of the second.
    secure = getattr(config, 'secure_config_filename', None) or config._load_secure_file()[0]
    return [file for file in (config.config_filename, secure)
            if file and file not in explicit and pathlib.Path(file).parent not in trusted]


def client(app: Any, parsed_args: argparse.Namespace, *, authenticated: bool = False,
           ignored: Collection[str] = (), progress: Progress | None = None) -> Client:
    """Return the library's client on OSC's session.

    :param authenticated: whether the command needs authentication.
    :param ignored: settings without a meaning for the command.
    :param progress: the command's own; None makes one.
    :raises MissingParameterValue: there is no authentication (``--os-auth-type none``).
    """
    from osc_imgurl.client import Client
    from osc_imgurl.osc.output import Progress

    manager = app.client_manager
    settings = load_settings(manager, parsed_args, ignored)
    if authenticated and manager.get_configuration().get('auth_type') == 'none':
        raise MissingParameterValue(
            'Only Glance has the images, and only Swift its keys: use credentials instead of'
            ' --os-auth-type none.')
    return Client(manager.session, settings, image=_service(manager, 'image'),
                  object_store=_service(manager, 'object-store'),
                  progress=progress or Progress(app))


def _service(client_manager: Any, service: str) -> Service:
    """Return how to look up a service, by the rules of openstacksdk.

    In clouds.yaml each may have its own region, such as ``image_region_name``.
    """
    from osc_imgurl.client import Service

    region: CloudRegion = client_manager._cli_options
    interface: Any = region.get_interface(service)
    return Service(region.get_region_name(service), interface, region.get_endpoint(service))


def cache(app: Any, parsed_args: argparse.Namespace) -> Cache:
    """Return the cache for a command on the cache itself, whether or not it is in use."""
    from osc_imgurl.cache import open_cache

    return open_cache(load_settings(app.client_manager, parsed_args))


def row(made: ImageTempURL) -> dict[str, Any]:
    """Return what the commands show of a temporary URL, by column."""
    path = made.target.path
    return {
        'url': made.url,
        'expires_at': format_expires(made.expires),
        'expires': made.expires,
        'method': made.method,
        'digest': made.temp_url.digest,
        'image_id': made.image.id,
        'image_name': made.image.name,
        'endpoint': made.target.endpoint.url,
        'account': path.account,
        'container': path.container,
        'object': path.object,
        'copied': made.copied,
        'link': made.link.id if made.link else None,
        'cached': made.cached,
        **{name: getattr(made.image, name) for name in IMAGE_FACTS},
    }
