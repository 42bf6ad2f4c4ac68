"""Bronze assets that read the gold of another project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from polster_core.errors import UsageProblem
from polster_core.model.layers import AssetId, Layer
from polster_core.model.layout import current
from polster_core.model.names import did_you_mean
from polster_core.project.others import Other, Others, read_other
from polster_core.rendering.asset_variables import asset_variables
from polster_core.rendering.python_source import bracketed, imported, quoted
from polster_core.types import AssetContext, EnvVar, NewFile

_EXAMPLE = "../crm:gold_customers"


def check(context: AssetContext) -> None:
    """Refuse what cannot be read. Raises UsageProblem."""
    folder, wanted = _typed(context)
    if context.partitions_def:
        raise UsageProblem(
            "--template project has no partitions: it reads all that is new", hint="no --partition"
        )
    if folder.resolve() == context.root.resolve():
        raise UsageProblem(
            f"--from names this project, whose {wanted} is made of bronze already",
            hint=f"another project's folder: {_EXAMPLE}",
        )
    other = read_other(folder)
    if other is None:
        raise UsageProblem(
            f"there is no Polster project in {_relative(context, folder)}",
            hint=f"--from is a folder, from this project's, and a gold asset: {_EXAMPLE}",
        )
    _check_asset(other, wanted)
    _check_prefix(context, other)
    if way := Others().circle(context.root, context.asset, wanted, other.root):
        raise UsageProblem(f"{context.asset} would depend on itself: {' -> '.join(way)}")


def _check_asset(other: Other, wanted: AssetId) -> None:
    if wanted.layer is not Layer.GOLD:
        raise UsageProblem(
            f"{wanted} of {other.name} is {wanted.layer}; of other projects only gold is read"
        )
    there = {str(one) for one in other.pipeline.in_layer(Layer.GOLD)}
    if str(wanted) not in there:
        raise UsageProblem(
            f"{other.name} has no asset {wanted}{did_you_mean(str(wanted), there)}",
            hint=f"its gold assets are {', '.join(sorted(there)) or 'none'}",
        )


def _check_prefix(context: AssetContext, other: Other) -> None:
    if other.key_prefix in {"", current().key_prefix}:
        lacks = f"begin with {other.key_prefix}/ as well" if other.key_prefix else "have no prefix"
        place = f"{_relative(context, other.root)}/pyproject.toml"
        wanted = (
            f"give one of the two another key-prefix, in [tool.polster]: here, or of {place}"
            if other.root.name == current().key_prefix
            else f'set  key-prefix = "{other.root.name}"  in [tool.polster] of {place}'
        )
        raise UsageProblem(
            f"the keys of {other.name} {lacks}, so that nothing tells them from those here",
            hint=wanted,
        )


def files(context: AssetContext) -> Iterator[NewFile]:
    """Yield the files of the asset; none where the other project is not there any more."""
    from polster_core.rendering import render

    folder, wanted = _typed(context)
    other = read_other(folder)
    if other is None:
        return
    asset, place = context.asset, _relative(context, folder)
    columns = ", ".join(map(quoted, other.columns(wanted)))
    given = [quoted(str(wanted)), quoted(place), *([f"columns=[{columns}]"] if columns else [])]
    key = f'dg.AssetKey(["{other.key_prefix}", "{wanted.key}"])'
    variables = asset_variables(context) | {
        "source": bracketed("source = Project(", given, ")"),
        "deps": bracketed("deps=[", [key], "],", indent=1),
        "core_names": imported(asset.core_module, "extract, source"),
        "gold": wanted.name,
        "setting": _setting(context),
    }
    for path, kind in (
        (asset.core_file, "core"),
        (asset.asset_file, "asset"),
        (asset.test_file, "test"),
    ):
        text = render("polster_core", f"templates/assets/project_{kind}.py.jinja", variables)
        note = f"reads {wanted} of {other.name}" if kind == "core" else ""
        yield NewFile(path=path, text=text, note=note)


def variables(context: AssetContext) -> Iterator[EnvVar]:
    """Yield the setting that says where the other project's data is."""
    folder, _ = _typed(context)
    yield EnvVar(
        name=_setting(context),
        help=f"Where the data of {folder.name} is: a path, or a URL such as abfss://... .",
    )


def _typed(context: AssetContext) -> tuple[Path, AssetId]:
    """Return the folder and the asset that were typed. Raises UsageProblem."""
    text = context.answers["from"]
    place, _, name = text.rpartition(":")
    wanted = AssetId.parse(name) or (AssetId(Layer.GOLD, name) if name.isidentifier() else None)
    if not place.strip() or wanted is None or any(not sign.isprintable() for sign in place):
        raise UsageProblem(
            f"--from is the folder of a project and its gold asset, not {text!r}", hint=_EXAMPLE
        )
    return Path(os.path.normpath(context.root / place.strip())), wanted


def _relative(context: AssetContext, folder: Path) -> str:
    """Return a folder as code of this project names it: never as this machine does, if possible."""
    try:
        found = PurePath(os.path.relpath(folder.resolve(), context.root.resolve()))
    except ValueError:  # on another drive of Windows
        found = folder
    return found.as_posix()


def _setting(context: AssetContext) -> str:
    """Return the name of the setting, as the runtime makes it of the folder's name."""
    name = PurePath(_relative(context, _typed(context)[0])).name.upper()
    found = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name)
    return f"{found if found[:1].isalpha() else f'P_{found}'}_DATA"
