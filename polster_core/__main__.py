"""`python -m polster_core` is `polster`."""

from polster_core.cli.main import main

main()
