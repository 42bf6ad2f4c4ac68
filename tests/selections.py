"""The grammar of `--select`, by examples: `polster list-assets` and `polster run` keep to them."""

from __future__ import annotations

SHOP = {
    "bronze_orders": [],
    "bronze_customers": [],
    "silver_orders": ["bronze_orders", "bronze_customers"],
    "silver_people": ["bronze_customers"],
    "gold_revenue": ["silver_orders"],
    "gold_ltv": ["silver_orders", "silver_people"],
}
"""Assets with what they depend on."""
SELECTED = {
    "revenue": "gold_revenue",
    "run_gold_revenue": "gold_revenue",
    "key:run_gold_revenue": "gold_revenue",
    "name:revenue": "gold_revenue",
    "gold/revenue": "gold_revenue",
    "src/core/gold_revenue.py": "gold_revenue",
    "+gold_revenue": "bronze_customers bronze_orders gold_revenue silver_orders",
    "1+gold_revenue": "gold_revenue silver_orders",
    "bronze_customers+": "bronze_customers gold_ltv gold_revenue silver_orders silver_people",
    "bronze_customers+1": "bronze_customers silver_orders silver_people",
    "0+people+0": "silver_people",
    "+people+": "bronze_customers gold_ltv silver_people",
    "1+ltv+1": "gold_ltv silver_orders silver_people",
    "layer:silver": "silver_orders silver_people",
    'group:"gold"': "gold_ltv gold_revenue",
    "+layer:silver": "bronze_customers bronze_orders silver_orders silver_people",
    "*orders": "bronze_orders silver_orders",
    "gold_*": "gold_ltv gold_revenue",
    "+*_ltv": "bronze_customers bronze_orders gold_ltv silver_orders silver_people",
    "revenue people": "gold_revenue silver_people",
    "revenue,people": "gold_revenue silver_people",
    "revenue , people": "gold_revenue silver_people",
    "revenue or people": "gold_revenue silver_people",
    "layer:silver and +revenue": "silver_orders",
    "layer:silver and not silver_people or gold_ltv": "gold_ltv silver_orders",
    "not layer:bronze and not layer:silver": "gold_ltv gold_revenue",
    "not (layer:bronze, layer:silver)": "gold_ltv gold_revenue",
    "(revenue or people) and layer:gold": "gold_revenue",
    "*": " ".join(sorted(SHOP)),
}
"""Expressions, and the assets that they select, by name."""
REFUSED = {
    "revenu": "no asset is called revenu. Did you mean revenue?",
    "+gold_revenu": "no asset is called gold_revenu. Did you mean gold_revenue?",
    "orders": "orders names more than one asset",
    "layer:sliver": "no layer is called sliver. Did you mean silver?",
    "zz*": "no asset matches 'zz*'",
    "revenue and people": "no asset matches 'revenue and people'",
    "": "'' is not a selection",
    "revenue and": "'revenue and' is not a selection",
    "not": "'not' is not a selection",
    "(revenue": "'(revenue' is not a selection",
    "revenue)": "'revenue)' is not a selection",
    "tag:x": "'tag:x' is not a selection",
    "+": "'+' is not a selection",
    "1+2+revenue": "'1+2+revenue' is not a selection",
}
"""Expressions that select nothing, and how the error begins."""
