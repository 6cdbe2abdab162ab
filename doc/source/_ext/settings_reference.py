"""Two directives that write down the settings, from the table in osc_imgurl.settings.table.

``settings-reference`` describes each setting; ``settings-sample`` is a clouds.yaml that has them
all, with their defaults, as comments.
"""

import textwrap

from docutils import nodes, statemachine
from docutils.parsers.rst import Directive

from osc_imgurl.osc.words import option_of
from osc_imgurl.settings.sources import STORES
from osc_imgurl.settings.table import CLOUD_KEY, TABLE, Settings

NEVER = 'never: it would be printed'


def reference():
    """Return the description of every setting, as reStructuredText."""
    lines = []
    for setting in TABLE:
        lines += [f'``{setting.name}``', f'    {setting.help}.', '']
        rows = [
            ('Option', (option := option_of(setting)) and f'``{option}``'
             + (f', ``--no-{setting.switch}``' if setting.switch else
                f' ``{setting.metavar}``')),
            ('Environment', f'``{setting.environment}``' if setting.environment else NEVER),
            ('clouds.yaml', f'``{CLOUD_KEY}: {setting.name}``' if setting.everywhere else NEVER),
            ('ironic.conf', setting.ironic and f'``[glance] {setting.ironic}``' + (
                f', in Ironic 9 and 10 ``[deploy] {setting.deploy}``' if setting.deploy else '')),
            ('glance-api.conf', setting.glance and f'``{setting.glance}``' + (
                f', of an S3 store ``{setting.s3}``' if setting.s3 else '')),
            ('Of a store', setting.of_store and f'``{CLOUD_KEY}: {STORES}: <store>:``'),
            ('Untrusted files', setting.restricted and 'not accepted'),
            ('File', setting.file and f'the one that ``{setting.file}`` names'),
            ('Default', setting.shown_default)]
        lines += [f'    :{name}: {value}' for name, value in rows if value]
        lines.append('')
    return lines


def sample():
    """Return a clouds.yaml in which every setting is commented out."""
    lines = ['clouds:', '  mycloud:', '    # auth: ...', f'    {CLOUD_KEY}:']
    for setting in TABLE:
        if setting.everywhere:
            lines += textwrap.wrap(f'{setting.help}.', 88, initial_indent='      # ',
                                   subsequent_indent='      # ')
            lines += [f'      # {setting.name}: {_example(setting)}', '']
    return lines[:-1]


def _example(setting):
    """Return the default, or what is nearest to a value where there is none."""
    default = getattr(Settings(), setting.name)
    if default in (None, ()):
        return EXAMPLES[setting.name]
    return str(default).lower() if isinstance(default, bool) else default


EXAMPLES = {
    'key_file': '/etc/openstack/temp-url-key',
    'endpoint_url': 'https://swift.example.com',
    'endpoint_type': 'swift',
    'account': 'AUTH_0123456789abcdef0123456789abcdef',
    'account_prefix': 'AUTH',
    'store': 'west',
    'allowed_direct_url_schemes': 'file',
    'digest': 'sha256',
    'cache_backend': 'dogpile.cache.redis',
    'cache_arguments': '{host: cache.example.com}',
    'cache_password_file': '/etc/openstack/cache-password',
    'check': 'true',
    'copy_container': 'image-temp-urls',
}


class SettingsReference(Directive):
    def run(self):
        content = statemachine.StringList(reference(), 'osc_imgurl.settings.table')
        node = nodes.container()
        self.state.nested_parse(content, self.content_offset, node)
        return node.children


class SettingsSample(Directive):
    def run(self):
        text = '\n'.join(sample())
        return [nodes.literal_block(text, text, language='yaml')]


def setup(app):
    app.add_directive('settings-reference', SettingsReference)
    app.add_directive('settings-sample', SettingsSample)
    return {'parallel_read_safe': True}
