# SPDX-License-Identifier: Apache-2.0
"""Copies of images in one's own account: they have URLs wherever Glance keeps the images."""
