"""Loading the definitions of many assets, beside the same assets as bare Dagster assets.

    python bench/load.py FOLDER --python RUNTIME [--chains 334] [--rounds 3]

Writes chains of bronze, silver and gold into the new FOLDER, as Polster has them and as
`@dg.asset` functions with nothing but their dependencies, one file each. RUNTIME is a Python with
what a generated project needs. A process of each imports all and makes Dagster's repository;
`import dagster` alone is shown as well, for the part that neither can save.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import chains
import measure

ASSET = '''"""The {layer} asset {name}."""

import dagster as dg


@dg.asset(group_name="{layer}", kinds={{"{layer}", "polars"}}, deps={deps})
def run_{layer}_{name}(context: dg.AssetExecutionContext) -> None:
    """Asset {name} of layer {layer}."""
'''
DEFINITIONS = """import dagster as dg
import bare_assets

defs = dg.Definitions(assets=dg.load_assets_from_package_module(bare_assets))
"""
UPSTREAM = {"bronze": "", "silver": "bronze", "gold": "silver"}


def main() -> None:
    """Write both, load them in turn, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--chains", type=int, default=334)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder, python = arguments.folder.resolve(), arguments.python.absolute()
    folder.mkdir()
    shop, bare = folder / "shop", folder / "bare"
    chains.write(shop, arguments.chains, 10, python=python, contracts=True)
    write_bare(bare, arguments.chains)
    print(f"{3 * arguments.chains} assets")
    measure.compare(
        {
            "bare assets": load(bare, python, "from bare import defs"),
            "the project": load(shop, python, "from orchestration.definitions import defs"),
            "import dagster": (bare, [python, "-c", "import dagster"], {}),
        },
        arguments.rounds,
    )


def write_bare(folder: Path, count: int) -> None:
    """Write the chains as assets that do nothing, one file each."""
    package = folder / "src" / "bare_assets"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package.parent / "bare.py").write_text(DEFINITIONS, encoding="utf-8")
    for number in range(count):
        name = f"t{number}"
        for layer, upstream in UPSTREAM.items():
            deps = f'["run_{upstream}_{name}"]' if upstream else "[]"
            text = ASSET.format(layer=layer, name=name, deps=deps)
            (package / f"run_{layer}_{name}.py").write_text(text, encoding="utf-8")


def load(folder: Path, python: Path, statement: str) -> measure.Command:
    """Return the command that loads the definitions of a project."""
    code = f"{statement}\n(defs() if callable(defs) else defs).get_repository_def()"
    return folder, [python, "-c", code], {"PYTHONPATH": str(folder / "src")}


if __name__ == "__main__":
    main()
