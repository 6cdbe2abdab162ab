# SPDX-License-Identifier: Apache-2.0
"""Links: they extend and revoke URLs one by one."""
