# SPDX-License-Identifier: Apache-2.0
"""Find out why a temporary URL does not work."""
