"""Merge three versions of a file: as it was generated, as the team has it, as it is generated now.

Settings are merged by their keys, all else by lines. No conflict is ever written into a file.
"""

from polster_core.upgrade.merge.files import merge_file
from polster_core.upgrade.merge.result import Merged

__all__ = ["Merged", "merge_file"]
