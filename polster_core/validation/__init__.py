"""Check a project against rules, and say or mend what is wrong.

The rules come from the hook `polster_validation_rules`; `check` runs them one by one, so that a
rule that fails is a finding itself and the others still count.
"""

from polster_core.validation.fixes import Mended, mend
from polster_core.validation.runner import Finding, Report, Rule, check
from polster_core.validation.suppressions import Ignored, read_ignored

__all__ = ["Finding", "Ignored", "Mended", "Report", "Rule", "check", "mend", "read_ignored"]
