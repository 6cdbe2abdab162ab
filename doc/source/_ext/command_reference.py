"""The directive ``command-reference``: cliff's, with each command's examples in blocks."""

import re

from cliff.sphinxext import AutoprogramCliffDirective

# What introduces an example, and its commands.
EXAMPLE = re.compile(r'(.*?):\s+(.*)', re.DOTALL)


def examples(command):
    """Return the introduction and the commands of each example in a command's epilogue.

    An empty line stands between two examples.
    """
    return [EXAMPLE.fullmatch(example).groups() for example in command._epilog.split('\n\n')]


class CommandReference(AutoprogramCliffDirective):
    def _load_command(self, manager, command_name):
        command = super()._load_command(manager, command_name)
        lines = [command._description + '.']
        for introduction, commands in examples(command):
            lines += ['', introduction + ':', '', '.. code-block:: sh', '',
                      *(f'    {line}' for line in commands.splitlines())]
        return type(command.__name__, (command,), {
            '__module__': command.__module__, '_description': '\n'.join(lines), '_epilog': ''})


def setup(app):
    app.add_directive('command-reference', CommandReference)
    return {'parallel_read_safe': True}
