# SPDX-License-Identifier: Apache-2.0
"""Why does this temporary URL not work?"""
