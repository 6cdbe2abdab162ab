"""The manual builds without a warning, and says what the code does."""

import importlib.util
import pathlib
import pickle
import re
import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest
import yaml
from docutils import nodes

from osc_imgurl.check.checks import CHECKS
from osc_imgurl.osc.words import option_of
from osc_imgurl.settings import sources
from osc_imgurl.settings.table import TABLE, Settings

SOURCE = pathlib.Path(__file__).parents[2] / 'doc/source'
MAN_PAGE = 'openstack-image-temp-url.1'


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """Build HTML and man page, and return the folder with both."""
    folder = tmp_path_factory.mktemp('manual')
    for builder in ('html', 'man'):
        done = subprocess.run(
            [sys.executable, '-m', 'sphinx', '-q', '-W', '--keep-going', '-b', builder, SOURCE,
             folder / builder, '-d', folder / 'doctrees'],
            capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, '')
    return folder


def test_all_commands_are_in_it(built):
    text = (built / 'html/reference/commands.html').read_text()
    for command in ('url create', 'url list', 'url show', 'url check', 'url key rotate',
                    'url cache delete', 'url settings list'):
        assert f'>image temp {command}<' in text
    assert '>image location show<' in text


def test_the_man_page_names_every_command():
    lines = re.findall(r'^\| \*\*openstack (.*?)\*\* (.*?)  ', (SOURCE / 'man.rst').read_text(),
                       re.MULTILINE)
    named = {f'{group} {verb}' for group, verbs in lines for verb in re.findall(r'\w+', verbs)}
    assert named == {entry.name.replace('_', ' ') for entry in entry_points(
        group='openstack.extension') if entry.value.startswith('osc_imgurl')}


def test_the_man_page_that_is_installed_is_the_one_that_the_manual_has(built, request):
    """Word for word; the requests between them are those of one release of docutils."""
    new, installed = (built / 'man' / MAN_PAGE).read_text(), SOURCE.parent / MAN_PAGE
    if request.config.option.record:
        installed.write_text(new)

    def words(text):
        return re.findall('[a-z]{3,}', text.partition('.SH NAME')[2])

    assert words(installed.read_text()) == words(new)


def test_no_table_splits_a_cell():
    """In a simple table each line of the first column begins a row, a long cell's second too."""
    for path in SOURCE.rglob('*.rst'):
        assert not re.search(r'^ *=+ +=', path.read_text(), re.MULTILINE), path


def page(built, name):
    """Return a page as docutils read it."""
    # Sphinx has just written it.
    return pickle.loads((built / f'doctrees/{name}.doctree').read_bytes())  # noqa: S301


def test_each_command_has_an_example_in_a_block(built):
    sections = {section.next_node(nodes.title).astext(): section
                for section in page(built, 'reference/commands').findall(nodes.section)}
    for entry in entry_points(group='openstack.extension'):
        if entry.value.startswith('osc_imgurl'):
            example = sections[entry.name.replace('_', ' ')].next_node(nodes.literal_block)
            assert example['language'] == 'sh'
            assert example.astext() in entry.load()._epilog


def test_the_drawings(built):
    """They are lists that the style sheet draws; the man page has the lists."""
    man = (built / 'man' / MAN_PAGE).read_text()
    drawn = {}
    for name in ('user/flow', 'user/failing'):
        drawn[name] = [
            term[0].astext() for drawing in page(built, name).findall(nodes.definition_list)
            if 'flow' in drawing['classes'] for term in drawing.findall(nodes.term)]
        steps = '.*'.join(rf'\.TP\n\.B {step}' for step in drawn[name])
        assert re.search(steps, man, re.DOTALL)
        html = (built / f'html/{name}.html').read_text()
        assert re.search(r'<dl class="[^"]*\bflow\b', html)
    assert drawn['user/failing'] == list(CHECKS)
    assert '"_static/imgurl.css' in (built / 'html/index.html').read_text()


def test_it_is_read_without_the_network(built):
    """Links lead elsewhere; nothing that a page shows or runs comes from there."""
    for path in (built / 'html').rglob('*.html'):
        text = path.read_text()
        assert re.findall(r'src\s*=\s*["\']?(?:https?:)?//[^"\']*', text) == []
        assert re.findall(r'<link[^>]*href="(?:https?:)?//', text) == []
        assert 'createElement("script")' not in text
    for path in (built / 'html/_static').rglob('*.css'):
        assert re.findall(r'(?:url\(|@import)\s*["\']?(?:https?:)?//', path.read_text()) == []


def test_all_settings_are_in_it(built):
    html = (built / 'html/reference/settings.html').read_text()
    man = (built / 'man' / MAN_PAGE).read_text().replace('\\', '')
    for setting in TABLE:
        for word in (setting.name, option_of(setting), setting.environment, setting.ironic):
            assert not word or (word in html and word in man)


def test_the_release_notes_name_their_release(built):
    html = (built / 'html/releasenotes.html').read_text()
    assert 'image temp url check' in re.sub('<[^>]*>', '', html)
    titles = [title.astext() for title in page(built, 'releasenotes').findall(nodes.title)]
    assert version('osc-imgurl') in titles
    assert '0.0.0' not in html


def test_the_sample_has_every_setting_and_loads(tmp_path):
    spec = importlib.util.spec_from_file_location(
        'settings_reference', SOURCE / '_ext/settings_reference.py')
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    lines = reference.sample()
    told = [line.replace('# ', '', 1) for line in lines
            if line.strip().startswith(tuple(f'# {setting.name}:' for setting in TABLE))]
    key_file = tmp_path / 'key'
    key_file.write_text('a key')
    key_file.chmod(0o600)
    cloud = yaml.safe_load('\n'.join([*lines[:2], lines[3], *told]))['clouds']['mycloud']
    assert list(cloud['image_temp_url']) == [
        setting.name for setting in TABLE if setting.everywhere]
    for name in ('key_file', 'cache_password_file'):
        cloud['image_temp_url'][name] = str(key_file)
    settings = sources.load({}, {}, cloud)
    assert isinstance(settings, Settings) and settings.key.value == b'a key'
    assert settings.cache_password == 'a key'
    assert settings.cache_arguments == (('host', 'cache.example.com'),)
