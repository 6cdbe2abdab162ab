# SPDX-License-Identifier: Apache-2.0
"""The object store: its capabilities, its key slots, and requests without a token."""
