# SPDX-License-Identifier: Apache-2.0
"""The settings: one table, and where values come from."""
