# SPDX-License-Identifier: Apache-2.0
"""Find an image's store, its object, and the key for its URL."""
