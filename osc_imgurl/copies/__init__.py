# SPDX-License-Identifier: Apache-2.0
"""Copies of images in the session's own account: URLs for images outside Swift too."""
