"""The manual: sphinx-build -W -b html doc/source doc/build/html."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / '_ext'))

project = 'osc-imgurl'
author = 'osc-imgurl developers'
copyright = f'2026, {author}'
extensions = [
    'cliff.sphinxext',       # the command reference, from the commands
    'reno.sphinxext',        # the release notes
    'settings_reference',    # the settings, from their table
    'sphinx.ext.autodoc',
]
autodoc_member_order = 'bysource'
autoprogram_cliff_application = 'openstack'
# What every command of OpenStackClient has.
autoprogram_cliff_ignored = [
    '--help', '--format', '--column', '--quote', '--noindent', '--max-width', '--fit-width',
    '--print-empty', '--sort-column', '--sort-ascending', '--sort-descending', '--variable']
# An option's two dashes are two dashes.
smartquotes = False
html_theme = 'alabaster'
html_theme_options = {'description': 'Temporary URLs for Glance images', 'page_width': '1200px',
                      'body_max_width': 'none'}
man_pages = [
    ('man', 'openstack-image-temp-url', 'temporary URLs for Glance images', author, 1)]
