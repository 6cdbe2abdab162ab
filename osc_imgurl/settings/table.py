# SPDX-License-Identifier: Apache-2.0
"""Every setting, declared once: the fields of :class:`Settings` are the table.

A field declares the command's option, the environment variable, the key in ``clouds.yaml``, the
options in services' config files, and the documentation. Names are those of Ironic's options in
``[glance]``.
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

# Not OS_: openstacksdk turns unknown OS_ variables into a cloud, and uses that one only.
ENVIRONMENT_PREFIX = 'OSC_IMGURL_'
FORMER_PREFIX = 'OS_IMAGE_TEMP_URL_'
CLOUD_KEY = 'image_temp_url'
# Seconds: a day.
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
    """The kinds of sources."""

    OPTION = 'option'
    ENVIRONMENT = 'environment'
    CLOUD = 'clouds.yaml'
    CONFIG_FILE = 'config file'
    PROGRAM = 'program'
    STORE = 'stores of a program'


@dataclasses.dataclass(frozen=True)
class Source:
    """The source of a setting.

    :ivar name: for people, such as ``[glance]swift_account in ironic.conf``.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return self.name


@dataclasses.dataclass(frozen=True)
class Settings:
    """The values of all settings; the default None means "look it up".

    :ivar sources: the source of each given setting, by its name. The others have their defaults. A
        value that a program gives is one of an option; ``dataclasses.replace`` keeps its source.
    :ivar stores: the settings for one Glance store, by its name: see :func:`for_store`.
    :ivar s3: whether Glance's config file says that this is an S3 store.
    :raises InvalidParameterValue: a value is invalid, the duration is shorter than the expected
        download start delay (Ironic's rule), both ``copy`` and ``revocable`` are set, a RADOS
        Gateway cannot have this endpoint, or the endpoint names another account or API version than
        is given.
    """

    key_file: str | None = _setting(
        values.path, 'File with the temporary URL key, - for standard input',
        metavar='<path>', shown_default='looked up', of_store=True, restricted=True)
    key: Key | None = _setting(
        values.key, 'The temporary URL key itself; in a service\'s config file only',
        shown_default='looked up', ironic='swift_temp_url_key', everywhere=False, secret=True,
        file='key_file')
    duration: int = _setting(
        values.seconds(1), 'How long the URL works, e.g. 1200 (seconds), 20m, 1h30m, 7d or 2w.'
        ' Anyone with the URL can use it until then',
        default=1200, metavar='<duration>', shown_default='1200',
        ironic='swift_temp_url_duration')
    expected_download_start_delay: int = _setting(
        values.seconds(0), 'How long a client may wait before it starts the download; the duration'
        ' cannot be shorter', default=0, metavar='<duration>', shown_default='0',
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
        values.prefix, 'Prefix of the project ID in the account\'s name',
        metavar='<prefix>', shown_default='by the catalog, else AUTH',
        ironic='swift_account_prefix', of_store=True)
    container: str = _setting(
        values.name, 'Container of the images; with a multiple containers seed, the start of its'
        ' name; of Glance\'s S3 store on a RADOS Gateway, its bucket', default='glance',
        metavar='<container>', shown_default='glance', ironic='swift_container',
        glance='swift_store_container', s3='s3_store_bucket', of_store=True)
    store: str | None = _setting(
        values.text, 'Glance store of the image, if it is in several',
        metavar='<store>', shown_default='the store of the first trusted location')
    multiple_containers_seed: int = _setting(
        values.seed, 'Glance\'s multiple containers seed: the number of characters of the image ID'
        ' in the container\'s name, 0 to 32', default=0, metavar='<n>', shown_default='0',
        ironic='swift_store_multiple_containers_seed',
        glance='swift_store_multiple_containers_seed', of_store=True)
    multi_tenant: bool = _setting(
        values.boolean, 'Whether Glance\'s store is multi-tenant: each image is in a container of'
        ' its own, <container>_<image ID>; in the environment, clouds.yaml or a service\'s config'
        ' file',
        default=False, shown_default='tried if the other container does not exist',
        glance='swift_store_multi_tenant', of_store=True)
    allowed_direct_url_schemes: tuple[str, ...] = _setting(
        values.schemes, 'Schemes of image locations that may be read directly, such as file; in'
        ' clouds.yaml or a service\'s config file', default=(), shown_default='none',
        ironic='allowed_direct_url_schemes')
    digest: str | None = _setting(
        values.one_of(*DIGESTS), 'Digest of the signature', metavar='{sha1,sha256,sha512}',
        shown_default='negotiated', of_store=True)

    copy: bool = _setting(
        values.boolean, 'If the image is not in Swift, or you have no access to the key, copy it'
        ' into your own account; the URL is for the copy', default=False,
        switch='copy', shown_default='off')
    copy_container: str | None = _setting(
        values.name, 'Container for copies in your own account; in the environment or clouds.yaml',
        shown_default='image-temp-urls; in a RADOS Gateway followed by - and your project\'s ID')
    revocable: bool = _setting(
        values.boolean, 'Create a URL that you can extend and revoke, through a small object in'
        ' Swift', default=False, switch='revocable', shown_default='off')
    copy_unverified: bool = _setting(
        values.boolean, 'Copy images without a hash in Glance, too', default=False,
        switch='copy-unverified', shown_default='off')

    cache_enabled: bool = _setting(
        values.boolean, 'Cache the expiry, so that repeated calls give the same URL while it works',
        default=False, switch='cache', shown_default='off',
        ironic='swift_temp_url_cache_enabled')
    cache_backend: str | None = _setting(
        values.text, 'A dogpile.cache backend, such as dogpile.cache.redis, to share the cache'
        ' among machines', shown_default='a file', restricted=True)
    cache_arguments: tuple[tuple[str, Any], ...] = _setting(
        values.arguments, 'Arguments of the cache backend, without a password: name=value,... or a'
        ' mapping in clouds.yaml', default=(), shown_default='none', secret=True, restricted=True)
    cache_password_file: str | None = _setting(
        values.path, 'File with the password of the shared cache', shown_default='no password',
        restricted=True)
    cache_password: str | None = _setting(
        values.password, 'The password of the shared cache itself; in cache_password_file only',
        shown_default='no password', everywhere=False, secret=True, file='cache_password_file')
    align: int = _setting(
        values.seconds(0), 'Count the duration from the end of a period of this length, so that all'
        ' hosts give the same URL within it', default=0,
        metavar='<duration>', shown_default='off')
    check: bool | None = _setting(
        values.boolean, 'Check with one HEAD at Swift itself whether the URL works',
        switch='check', shown_default='if create guessed')
    num_retries: int = _setting(
        values.retries, 'Retries of a request after a failed connection, 503 or 429; in the'
        ' environment, clouds.yaml or a service\'s config file',
        default=2, shown_default='2', ironic='num_retries')

    timeout: int = _setting(
        values.seconds(1, MAX_TIMEOUT), 'Time limit for a whole answer; a slower server gets no'
        ' other request for a minute. api_timeout in clouds.yaml comes first. In the environment,'
        ' clouds.yaml or a service\'s config file', default=60,
        shown_default='60', ironic='timeout')

    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, compare=False)
    stores: Mapping[str, Settings] = dataclasses.field(default_factory=dict, repr=False)
    s3: bool = False

    def __post_init__(self) -> None:
        given = vars(self)
        for setting in TABLE:
            value = given[setting.name]
            # None means "look it up", and is not parsed.
            if value is setting.default:
                continue
            try:
                object.__setattr__(self, setting.name, setting.parse(value))
            except (TypeError, ValueError) as error:
                shown = '' if setting.secret else f' {value!r}'
                raise InvalidParameterValue(f'Invalid {setting.name}{shown}: {error}.') from None
        object.__setattr__(self, 'sources', {
            setting.name: self.sources.get(setting.name) or Source(Kind.PROGRAM, setting.name)
            for setting in TABLE if given[setting.name] is not None
            and (setting.name in self.sources or given[setting.name] != setting.default)})
        _validate_duration(self.duration, self.expected_download_start_delay)
        if self.copy and self.revocable:
            raise InvalidParameterValue(
                'URLs for copies cannot be revoked: a copy has an end of its own.',
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
        """Whether an image's container depends on the image's ID."""
        return self.multi_tenant or self.multiple_containers_seed > 0

    def given_by(self, *names: str) -> list[Source]:
        """Return the sources of these settings, without defaults."""
        return [self.sources[name] for name in names if name in self.sources]

    def given_explicitly(self, *names: str) -> list[Source]:
        """Return the sources that are about this one image: options, and a program's values."""
        return [source for source in self.given_by(*names)
                if source.kind in (Kind.OPTION, Kind.PROGRAM)]


@dataclasses.dataclass(frozen=True)
class Setting:
    """One row of the table.

    :ivar metavar: the value's name in the help; empty without an option that has a value.
    :ivar ironic: the option in the group ``[glance]`` of ``ironic.conf``.
    :ivar deploy: the option in the group ``[deploy]``, where Ironic had it for a while.
    :ivar glance: the option in a Swift store's group of ``glance-api.conf``.
    :ivar s3: the option in an S3 store's group.
    :ivar switch: the name of the option without a value; empty if there is none.
    :ivar everywhere: whether environment and ``clouds.yaml`` can give it.
    :ivar secret: whether its value is never printed.
    :ivar file: the setting with the path of the value's file; empty if there is none.
    :ivar of_store: whether Glance stores can differ in it.
    :ivar restricted: whether it names a file to read, or a server to send the content to. It is
        then accepted only from the user's or the system's own configuration.
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
        """The environment variable, or None if there is none."""
        return ENVIRONMENT_PREFIX + self.name.upper() if self.everywhere else None


TABLE: tuple[Setting, ...] = tuple(
    Setting(name=field.name, default=field.default, **field.metadata)
    for field in dataclasses.fields(Settings) if field.metadata)
BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in TABLE}


def of_name(stores: Mapping[str, V], name: str) -> V | None:
    """Return a store's entry; openstacksdk turns ``-`` into ``_`` in names of ``clouds.yaml``."""
    return stores.get(name, stores.get(name.replace('-', '_')))


def for_store(settings: Settings, name: str | None) -> Settings:
    """Return the settings for a Glance store.

    Values that a program gives for this store only are about all its images, as in ``clouds.yaml``.

    :param name: the store's; None, or a store without settings, gives those for all stores.
    """
    if name is None:
        return settings
    own = of_name(settings.stores, name) or settings
    return dataclasses.replace(own, store=name, stores={}, sources={
        each: source if source.kind is not Kind.PROGRAM or source == settings.sources.get(each)
        else Source(Kind.STORE, f'stores.{name}.{each}') for each, source in own.sources.items()})


def _validate_duration(duration: int, delay: int) -> None:
    if duration < delay:
        raise InvalidParameterValue(
            f'The duration ({duration} s) is shorter than the expected download start delay'
            f' ({delay} s): the URL could expire before the download starts.',
            'Use a longer duration.', 'duration')


def expiry(settings: Settings, options: URLOptions, now: float) -> int:
    """Return the expiry of a URL signed now: Unix time, seconds.

    :param now: Unix time, seconds.
    :raises InvalidParameterValue: it is in the past, or before a download may start.
    """
    delay = settings.expected_download_start_delay
    if options.expires is None:
        duration = options.seconds or settings.duration
        _validate_duration(duration, delay)
        if settings.align:
            # Count from the end of the period: the URL works for at least the duration.
            now = (int(now) // settings.align + 1) * settings.align
        return int(now + duration)
    if options.expires <= now or options.expires < now + delay:
        raise InvalidParameterValue(
            f'The expiry {format_expires(options.expires)} is in the past'
            + (f', or before a download may start ({delay} s from now).' if delay else '.'),
            'Use a later one.', 'expires')
    return options.expires
