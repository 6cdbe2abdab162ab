# SPDX-License-Identifier: Apache-2.0
"""When a URL was first made, so that the same question has the same answer."""
