# SPDX-License-Identifier: Apache-2.0
"""The commands.

OpenStackClient imports the module of every command of every plugin whenever it starts. So
these modules import nothing that it does not have already: the rest is imported by the
command that needs it, when it needs it.
"""
