"""Generated projects whose data is wrong, or whose runs start by themselves."""

from __future__ import annotations

from tests.generated.conftest import *  # noqa: F403 - its fixtures are ours as well
