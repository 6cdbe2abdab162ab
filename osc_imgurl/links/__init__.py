# SPDX-License-Identifier: Apache-2.0
"""URLs that can be extended and revoked one by one, after they were given out."""
