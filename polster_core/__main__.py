"""`python -m polster_core` is `polster`."""

from polster_core.cli import main

main()
