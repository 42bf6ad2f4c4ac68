"""What a provider of secrets promises, as tests for pytest: `SecretProviderContract`."""

import logging
import re
from collections.abc import Mapping
from typing import ClassVar

import pytest

from polster_runtime.config.secrets import SecretProvider
from polster_runtime.errors import SettingsError

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_NOBODYS = "POLSTER_KIT_HAS_NO_SUCH_VARIABLE"


class SecretProviderContract:
    """What `SECRETS=NAME` promises. Give the fixture `provider`, and what it has: `expected`.

    class TestOurs(SecretProviderContract):
        expected = {"CRM_PASSWORD": "schön", "TOKEN": "x=y"}

        @pytest.fixture
        def provider(self) -> SecretProvider:
            return polster_ours.connect()
    """

    group: ClassVar[str] = "polster_runtime.secrets"
    expected: Mapping[str, str]

    def test_it_names_variables(self, provider: SecretProvider) -> None:
        """As `.env.example` writes them, whatever they are called where they are kept."""
        names = provider.names()
        assert names >= self.expected.keys()
        assert [name for name in names if not _VARIABLE.fullmatch(name)] == []

    def test_values_arrive_as_they_are(self, provider: SecretProvider) -> None:
        """The same each time."""
        for _ in range(2):
            assert {name: provider.get(name) for name in self.expected} == self.expected

    def test_what_it_does_not_know_is_one_sentence(self, provider: SecretProvider) -> None:
        """It names the variable, and the value of no other."""
        assert _NOBODYS not in provider.names()
        with pytest.raises(SettingsError) as raised:
            provider.get(_NOBODYS)
        said = str(raised.value)
        assert "\n" not in said
        assert _NOBODYS in said.replace("-", "_").upper()
        self._check(said)

    def test_nothing_is_shown(
        self,
        provider: SecretProvider,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Neither printed, nor logged, nor in what a debugger would show."""
        with caplog.at_level(logging.DEBUG):
            for name in self.expected:
                provider.get(name)
        self._check(*capfd.readouterr(), caplog.text, repr(provider), str(provider))

    def _check(self, *texts: str) -> None:
        for value in self.expected.values():
            assert not any(value in text for text in texts), "a value is shown"
