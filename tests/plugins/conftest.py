"""The kit's fixtures, for tests of plugins, as a plugin's own tests have them."""

from polster_core.testing import (
    check_golden,
    install_plugin,
    make_project,
    run_polster,
    set_up_project,
)

__all__ = ["check_golden", "install_plugin", "make_project", "run_polster", "set_up_project"]
