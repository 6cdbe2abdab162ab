# SPDX-License-Identifier: Apache-2.0
"""Every setting, declared once: the fields of :class:`Settings` are the table.

From a field come the command's option, the environment variable, the key in
``clouds.yaml``, the option read from a service's config file, and the documentation.
The names of the config file's options are those of Ironic's ``[glance]`` group.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from osc_imgurl.errors import InvalidParameterValue
from osc_imgurl.settings import values
from osc_imgurl.tempurl.endpoint import gateway_endpoint, split_storage_url
from osc_imgurl.tempurl.options import URLOptions, format_expires
from osc_imgurl.tempurl.signing import Key
from osc_imgurl.tempurl.url import DIGESTS

# Not OS_: openstacksdk makes a cloud of the variables that begin so, and takes it for the only one.
ENVIRONMENT_PREFIX = 'OSC_IMGURL_'
FORMER_PREFIX = 'OS_IMAGE_TEMP_URL_'
CLOUD_KEY = 'image_temp_url'
# In seconds: a day.
MAX_TIMEOUT = 86_400
V = TypeVar('V')
ENDPOINT_TYPES = ('swift', 'radosgw')


def _setting(parse: Callable[[str], Any], help: str, *, default: Any = None, metavar: str = '',
             shown_default: str = '', ironic: str = '', deploy: str = '', glance: str = '',
             s3: str = '', everywhere: bool = True, switch: str = '', secret: bool = False,
             file: str = '', of_store: bool = False, restricted: bool = False) -> Any:
    return dataclasses.field(default=default, repr=not secret, metadata={
        'parse': parse, 'help': help, 'metavar': metavar, 'shown_default': shown_default,
        'ironic': ironic, 'deploy': deploy, 'glance': glance, 's3': s3,
        'everywhere': everywhere, 'switch': switch, 'secret': secret, 'file': file,
        'of_store': of_store, 'restricted': restricted})


class Kind(enum.Enum):
    """The kinds of source that a setting may come from."""

    OPTION = 'option'
    ENVIRONMENT = 'environment'
    CLOUD = 'clouds.yaml'
    CONFIG_FILE = 'config file'


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a setting comes from; ``str()`` gives its name.

    :ivar name: for people, such as ``[glance]swift_account in ironic.conf``.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return self.name


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is given, from whichever source; ``None``, where it is the default: look it up.

    :ivar sources: where each given setting comes from, by its name. A setting that is not in it
        has its default.
    :ivar stores: what is given for the images in a Glance store, by its name: see
        :func:`for_store`.
    :ivar s3: whether Glance's config file says that this is an S3 store.
    :raises InvalidParameterValue: a value is none of its setting's, the duration is shorter than
        the expected download start delay (Ironic's rule), URLs are to be for copies and revocable,
        the endpoint is none of a RADOS Gateway where it must be, or it names another account or API
        version than is given.
    """

    key_file: str | None = _setting(
        values.path, 'File with the temporary URL key; - reads it from standard input',
        metavar='<path>', shown_default='looked up', of_store=True, restricted=True)
    key: Key | None = _setting(
        values.key, 'The temporary URL key itself; in a service\'s config file only',
        shown_default='looked up', ironic='swift_temp_url_key', everywhere=False, secret=True,
        file='key_file')
    duration: int = _setting(
        values.seconds(1), 'How long the URL is good for, such as 1200 (seconds), 20m, 1h30m, 7d'
        ' or 2w. Swift has no maximum; all the while whoever gets hold of the URL can use it, and'
        ' nothing ends it but the removal of its key, unless it is revocable',
        default=1200, metavar='<duration>', shown_default='1200',
        ironic='swift_temp_url_duration')
    expected_download_start_delay: int = _setting(
        values.seconds(0), 'How long after its creation a download may start at the latest; the URL'
        ' must live at least so long', default=0, metavar='<duration>', shown_default='0',
        ironic='swift_temp_url_expected_download_start_delay')
    endpoint_url: str | None = _setting(
        values.url, 'Scheme and host of the URL, such as https://swift.example.com; a storage URL'
        ' gives the account, too',
        metavar='<url>', shown_default='looked up', ironic='swift_endpoint_url', of_store=True)
    endpoint_type: str | None = _setting(
        values.one_of(*ENDPOINT_TYPES), 'Kind of object store: radosgw for a RADOS Gateway without'
        ' accounts in its URLs', metavar='{swift,radosgw}', shown_default='from the catalog',
        ironic='temp_url_endpoint_type', deploy='object_store_endpoint_type', of_store=True)
    api_version: str = _setting(
        values.name, 'Version of the Swift API in the URL', default='v1', metavar='<version>',
        shown_default='v1', ironic='swift_api_version', of_store=True)
    account: str | None = _setting(
        values.name, 'Account that owns the container, such as AUTH_0123456789abcdef',
        metavar='<account>', shown_default='looked up', ironic='swift_account', of_store=True)
    account_prefix: str | None = _setting(
        values.prefix, 'What stands before the project ID in the account\'s name',
        metavar='<prefix>', shown_default='by the catalog, else AUTH',
        ironic='swift_account_prefix', of_store=True)
    container: str = _setting(
        values.name, 'Container of the images; with a multiple containers seed, the start of its'
        ' name; of Glance\'s S3 store on a RADOS Gateway, its bucket', default='glance',
        metavar='<container>', shown_default='glance', ironic='swift_container',
        glance='swift_store_container', s3='s3_store_bucket', of_store=True)
    store: str | None = _setting(
        values.text, 'Glance store to take the image from where it is in several',
        metavar='<store>', shown_default='that of the first location that is trusted')
    multiple_containers_seed: int = _setting(
        values.seed, 'Glance\'s multiple containers seed: how many characters of the image ID are'
        ' part of the container\'s name, 0 to 32', default=0, metavar='<n>', shown_default='0',
        ironic='swift_store_multiple_containers_seed',
        glance='swift_store_multiple_containers_seed', of_store=True)
    multi_tenant: bool = _setting(
        values.boolean, 'Whether Glance\'s store is multi-tenant: each image is in a container of'
        ' its own, <container>_<image ID>; in the environment, clouds.yaml or a service\'s config'
        ' file',
        default=False, shown_default='tried where there is no other container',
        glance='swift_store_multi_tenant', of_store=True)
    allowed_direct_url_schemes: tuple[str, ...] = _setting(
        values.schemes, 'Schemes of image locations that may be read directly, such as file; in'
        ' clouds.yaml or a service\'s config file', default=(), shown_default='none',
        ironic='allowed_direct_url_schemes')
    digest: str | None = _setting(
        values.one_of(*DIGESTS), 'Digest of the signature', metavar='{sha1,sha256,sha512}',
        shown_default='negotiated', of_store=True)

    copy: bool = _setting(
        values.boolean, 'Copy an image into your own account first where Glance does not keep it in'
        ' Swift, or its keys are not shown to you; the URL is for the copy', default=False,
        switch='copy', shown_default='off')
    copy_container: str | None = _setting(
        values.name, 'Container in your own account that copies are kept in; in the environment or'
        ' clouds.yaml', shown_default='image-temp-urls; in a RADOS Gateway with - and your'
        ' project\'s ID behind it')
    revocable: bool = _setting(
        values.boolean, 'Make a URL that can be extended, and revoked, by itself: it is for a small'
        ' object in Swift that stands for the image', default=False, switch='revocable',
        shown_default='off')
    copy_unverified: bool = _setting(
        values.boolean, 'Copy an image of which Glance tells no hash, too', default=False,
        switch='copy-unverified', shown_default='off')

    cache_enabled: bool = _setting(
        values.boolean, 'Give the same question the same URL as long as that is good: the cache'
        ' remembers when it was made', default=False, switch='cache', shown_default='off',
        ironic='swift_temp_url_cache_enabled')
    cache_backend: str | None = _setting(
        values.text, 'A dogpile.cache backend for a cache that many machines share, such as'
        ' dogpile.cache.redis', shown_default='a file', restricted=True)
    cache_arguments: tuple[tuple[str, Any], ...] = _setting(
        values.arguments, 'What the backend is given: name=value,... or a mapping in clouds.yaml;'
        ' no password', default=(), shown_default='none', secret=True, restricted=True)
    cache_password_file: str | None = _setting(
        values.path, 'File with the password of the shared cache', shown_default='no password',
        restricted=True)
    cache_password: str | None = _setting(
        values.password, 'The password of the shared cache itself; in the file that'
        ' cache_password_file names only', shown_default='no password', everywhere=False,
        secret=True, file='cache_password_file')
    align: int = _setting(
        values.seconds(0), 'Round the moment of signing down to a multiple of this, so that every'
        ' host signs the same URL meanwhile; the URL lives longer by as much', default=0,
        metavar='<duration>', shown_default='off')
    check: bool | None = _setting(
        values.boolean, 'Ask Swift itself (no proxy that the endpoint URL names), with one HEAD,'
        ' whether the URL works', switch='check', shown_default='where create guessed')
    num_retries: int = _setting(
        values.retries, 'How often a request is made again that finds no connection, or that is'
        ' answered 503 or 429; in the environment, clouds.yaml or a service\'s config file',
        default=2, shown_default='2', ironic='num_retries')

    timeout: int = _setting(
        values.seconds(1, MAX_TIMEOUT), 'How long a server may take for an answer, to its last'
        ' byte. A slower one is not asked again for a minute. A time limit of the session'
        ' (api_timeout in clouds.yaml) counts in its place; in the environment, clouds.yaml or a'
        ' service\'s config file', default=60,
        shown_default='60', ironic='timeout')

    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, compare=False)
    stores: Mapping[str, Settings] = dataclasses.field(default_factory=dict, repr=False)
    s3: bool = False

    def __post_init__(self) -> None:
        given = vars(self)
        for setting in TABLE:
            value = given[setting.name]
            # None is a value of settings that are looked up.
            if value is setting.default:
                continue
            try:
                object.__setattr__(self, setting.name, setting.parse(value))
            except (TypeError, ValueError) as error:
                shown = '' if setting.secret else f' {value!r}'
                raise InvalidParameterValue(f'Invalid {setting.name}{shown}: {error}.') from None
        _validate_duration(self.duration, self.expected_download_start_delay)
        if self.copy and self.revocable:
            raise InvalidParameterValue(
                'A copy has an end of its own, and no URL for it can be revoked by itself.',
                'Use one of the two.', 'copy', 'revocable')
        if self.endpoint_url:
            self._take_from_storage_url(self.endpoint_url)

    def _take_from_storage_url(self, url: str) -> None:
        """Take API version and account from the endpoint URL, which may be a storage URL."""
        endpoint, account = split_storage_url(url)
        version = url[len(endpoint):].strip('/').partition('/')[0]
        for name, value in (('api_version', version), ('account', account)):
            if not value:
                continue
            given = getattr(self, name)
            if given != value and (given != BY_NAME[name].default or name in self.sources):
                by = {of: f' ({source})' for of, source in self.sources.items()}
                raise InvalidParameterValue(
                    f'The endpoint URL {url}{by.get("endpoint_url", "")} names the'
                    f' {name.replace("api_", "API ")} {value}, and {given} is'
                    f' given{by.get(name, "")}.', 'Give one of them.', 'endpoint_url', name)
            object.__setattr__(self, name, value)
            if 'endpoint_url' in self.sources:
                object.__setattr__(
                    self, 'sources', {name: self.sources['endpoint_url'], **self.sources})
        if self.endpoint_type == 'radosgw':
            if account:
                raise InvalidParameterValue(
                    f'The endpoint URL {url} names an account, and the endpoint type radosgw is for'
                    ' a RADOS Gateway without accounts in its URLs.', 'Use the endpoint type swift,'
                    ' or leave out the account.', 'endpoint_type', 'endpoint_url')
            endpoint = gateway_endpoint(endpoint)
        object.__setattr__(self, 'endpoint_url', endpoint)

    @property
    def many_containers(self) -> bool:
        """Whether the container of an image depends on the image's ID."""
        return self.multi_tenant or self.multiple_containers_seed > 0

    def given_by(self, *names: str) -> list[Source]:
        """Return the sources that give any of these settings."""
        return [self.sources[name] for name in names if name in self.sources]

    def given_explicitly(self, *names: str) -> list[Source]:
        """Return those sources that are options: they are about this one image."""
        return [source for source in self.given_by(*names) if source.kind is Kind.OPTION]


@dataclasses.dataclass(frozen=True)
class Setting:
    """One row of the table.

    :ivar metavar: what the value of its option is called; empty where it has none.
    :ivar ironic: its option in the group ``[glance]`` of an ``ironic.conf``.
    :ivar deploy: its option in the group ``[deploy]``, where Ironic had it for a while.
    :ivar glance: its option in the group of a Swift store in a ``glance-api.conf``.
    :ivar s3: its option in the group of an S3 store there.
    :ivar switch: the name of its option that has no value; empty where there is none.
    :ivar everywhere: whether it may stand in the environment and in ``clouds.yaml``.
    :ivar secret: whether its value is never printed.
    :ivar file: the setting that names the file which holds the value, where there is one.
    :ivar of_store: whether it may differ from one Glance store to another.
    :ivar restricted: whether it names a file to read, or the server that gets what was read, and so
        is accepted only from files of the user's or the system's own configuration.
    """

    name: str
    default: Any
    parse: Callable[[str], Any]
    help: str
    metavar: str
    shown_default: str
    ironic: str
    deploy: str
    glance: str
    s3: str
    everywhere: bool
    switch: str
    secret: bool
    file: str
    of_store: bool
    restricted: bool

    @property
    def environment(self) -> str | None:
        """The environment variable, or None where the setting may not be in one."""
        return ENVIRONMENT_PREFIX + self.name.upper() if self.everywhere else None


TABLE: tuple[Setting, ...] = tuple(
    Setting(name=field.name, default=field.default, **field.metadata)
    for field in dataclasses.fields(Settings) if field.metadata)
BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in TABLE}


def of_name(stores: Mapping[str, V], name: str) -> V | None:
    """Return what a mapping says of a store.

    openstacksdk turns each ``-`` in a name in ``clouds.yaml`` into ``_``.
    """
    return stores.get(name, stores.get(name.replace('-', '_')))


def for_store(settings: Settings, name: str | None) -> Settings:
    """Return the settings for the images in a Glance store: those that are given for it.

    :param name: of the store; None, or that of a store of which nothing is said, leaves the
        settings that all images have in common.
    """
    if name is None:
        return settings
    return dataclasses.replace(of_name(settings.stores, name) or settings, store=name, stores={})


def _validate_duration(duration: int, delay: int) -> None:
    if duration < delay:
        raise InvalidParameterValue(
            f'The duration ({duration} s) is shorter than the expected download start delay'
            f' ({delay} s): the URL could expire before the download starts.',
            'Use a longer duration.', 'duration')


def expiry(settings: Settings, options: URLOptions, now: float) -> int:
    """Return when a URL that is signed now expires: Unix time, seconds.

    :param now: Unix time, seconds.
    :raises InvalidParameterValue: that is in the past, or before a download may start.
    """
    delay = settings.expected_download_start_delay
    if options.expires is None:
        duration = options.seconds or settings.duration
        _validate_duration(duration, delay)
        if settings.align:
            # The window's end instead of its start: the URL lives at least the duration.
            now = (int(now) // settings.align + 1) * settings.align
        return int(now + duration)
    if options.expires <= now or options.expires < now + delay:
        raise InvalidParameterValue(
            f'The expiry {format_expires(options.expires)} is in the past, or comes'
            f' before a download may start ({delay} s from now).', 'Use a later one.',
            'expires')
    return options.expires
