"""Why a step failed, in a sentence."""

import re
from typing import Any

OWN_LINE = re.compile(r'File ".*?(src[/\\](?:core|orchestration)[/\\][^"]+)", line (\d+)')


def reason(failure: Any) -> str:
    """What went wrong in a step: its own sentence, or the error and the line of the asset."""
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error.cause or failure.error
    lines = [found for entry in error.stack for found in OWN_LINE.findall(entry)]
    where = f"{lines[-1][0]}:{lines[-1][1]}: " if lines else ""
    return where + str(error.message).strip()
