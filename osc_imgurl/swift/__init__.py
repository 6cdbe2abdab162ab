# SPDX-License-Identifier: Apache-2.0
"""The object store: endpoint, catalog, ``/info``, keys, objects, requests without a token."""
