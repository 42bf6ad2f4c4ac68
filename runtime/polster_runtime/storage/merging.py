"""Rows that replace others: increments on top of a full file, merged as they are read.

An increment of an asset with a key holds rows that take the place of those with the same key in
the files before it, and, with `_deleted` set, keys that are gone. Nothing is rewritten: a reader
leaves out of each file the rows whose key a later file has.
"""

from collections.abc import Sequence

import polars as pl

from polster_runtime.assets.increments import DELETED


def on_top(frames: Sequence[pl.LazyFrame], key: list[str] | None) -> pl.LazyFrame:
    """The rows of files, the later ones over the earlier; those that are removed are left out."""
    merged = pl.concat(survivors(frames, key), how="diagonal")
    return alive(merged) if key else merged


def survivors(frames: Sequence[pl.LazyFrame], key: list[str] | None) -> list[pl.LazyFrame]:
    """Each frame without the rows whose key a later one has."""
    if not key:
        return list(frames)
    found = []
    for number, frame in enumerate(frames, start=1):
        later = [other.select(key) for other in frames[number:]]
        if later:
            found.append(frame.join(pl.concat(later), on=key, how="anti", nulls_equal=True))
        else:
            found.append(frame)
    return found


def alive(frame: pl.LazyFrame) -> pl.LazyFrame:
    """A frame without removed rows, and without the column that says so."""
    if DELETED not in frame.collect_schema():
        return frame
    return frame.filter(~pl.col(DELETED).fill_null(value=False)).drop(DELETED)
