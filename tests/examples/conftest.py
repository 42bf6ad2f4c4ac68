"""Fixtures that run generated projects."""

from tests.generated.conftest import runtime, shared, templates

__all__ = ["runtime", "shared", "templates"]
