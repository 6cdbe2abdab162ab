# SPDX-License-Identifier: Apache-2.0
"""Images, their locations, and Glance."""
