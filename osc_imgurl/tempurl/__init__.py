# SPDX-License-Identifier: Apache-2.0
"""A temporary URL: a value, its signature, and what was signed. No I/O, and no clock."""
