# SPDX-License-Identifier: Apache-2.0
"""Temporary URLs for Glance images: the library's public names."""
