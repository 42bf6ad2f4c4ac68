"""Check a project against rules, and report or fix what is wrong.

The rules come from the hook `polster_validation_rules`; `check` runs them one by one, so that a
rule that fails is a finding itself and the others still count.
"""

from polster_core.validation.fixes import FixPlan, plan_fixes
from polster_core.validation.runner import Finding, Report, Rule, check
from polster_core.validation.suppressions import Ignored, read_ignored

__all__ = ["Finding", "FixPlan", "Ignored", "Report", "Rule", "check", "plan_fixes", "read_ignored"]
