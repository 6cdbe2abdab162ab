"""The manual: sphinx-build -W -b html doc/source doc/build/html."""

import pathlib
import sys
from importlib.metadata import version as version_of

from docutils import nodes

sys.path.insert(0, str(pathlib.Path(__file__).parent / '_ext'))

project = 'osc-imgurl'
author = 'osc-imgurl developers'
copyright = f'2026, {author}'
version = release = version_of(project)
# The theme would count commits.
openstackdocs_auto_version = False
extensions = [
    'cliff.sphinxext',       # the command reference, from the commands
    'command_reference',     # with the commands' examples in blocks
    'openstackdocstheme',
    'reno.sphinxext',        # the release notes
    'settings_reference',    # the settings, from their table
    'sphinx.ext.autodoc',
]
autodoc_member_order = 'bysource'
# As in the code; a signature with <function ...> in it could not be read as one.
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
autoprogram_cliff_application = 'openstack'
autoprogram_cliff_app_dist_name = 'osc-imgurl'
# What every command of OpenStackClient has.
autoprogram_cliff_ignored = [
    '--help', '--format', '--column', '--quote', '--noindent', '--max-width', '--fit-width',
    '--print-empty', '--sort-column', '--sort-ascending', '--sort-descending', '--variable']
# An option's two dashes are two dashes.
smartquotes = False
# A page's contents are its sections, not each name of the library.
toc_object_entries = False
html_theme = 'openstackdocs'
# Who reads this is nobody else's business: nothing of the theme's is fetched from elsewhere.
html_theme_options = {'analytics_tracking_code': '', 'display_badge': False,
                      'sidebar_search': True}
templates_path = ['_templates']
html_static_path = ['_static']
html_css_files = ['imgurl.css']


def name_release(app, page):
    """Without a tag reno calls the version 0.0.0."""
    for title in page.findall(nodes.title):
        if title.astext() == '0.0.0':
            title[:] = [nodes.Text(release)]


def setup(app):
    # Before the page's contents are taken from its titles.
    app.connect('doctree-read', name_release, priority=1)


man_pages = [
    ('man', 'openstack-image-temp-url', 'temporary URLs for Glance images', author, 1)]
