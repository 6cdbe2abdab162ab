# SPDX-License-Identifier: Apache-2.0
"""Where an image's object is, and what signs its URL."""
