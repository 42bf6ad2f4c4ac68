"""The layers of the medallion: bronze is raw, silver clean, gold business-ready."""

LAYERS = ("bronze", "silver", "gold")
FUNCTIONS = {"bronze": "extract", "silver": "transform", "gold": "aggregate"}
"""The name of an asset's function, by layer."""
MAY_DEPEND_ON = {"bronze": None, "silver": "bronze", "gold": "silver"}
"""The layer of an asset's upstream assets; bronze has none."""
RESERVED = {"partition", "position"}
"""Parameters that name no dependency: the runtime fills them."""
