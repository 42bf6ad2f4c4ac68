"""Tests of the runtime of generated projects."""
