# SPDX-License-Identifier: Apache-2.0
"""Images and their locations, and Glance, which knows them."""
