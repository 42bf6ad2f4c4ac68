"""Run bronze_a as another machine on a shared disk would, which the lock does not hold back."""

import runpy
from contextlib import nullcontext
from unittest import mock

from polster_runtime.execution import materialize

with mock.patch.object(materialize, "alone", return_value=nullcontext()):
    runpy.run_path("src/core/bronze_a.py", run_name="__main__")
