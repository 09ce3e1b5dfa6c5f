# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of the test machine; tests/vm/run and tests/vm/prepare are its doors."""
