from polster_core.types import Teleporter
