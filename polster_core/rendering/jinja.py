"""Turn packaged templates into files: one Jinja environment, and rules for file names.

A template's file name ends in `.jinja`, which is dropped; other files are copied byte for byte. A
part of a path that starts with `dot_` starts with a dot in the project (`dot_gitignore.jinja` is
`.gitignore`), and `{layer}` in a path is the variable of that name (`run_{layer}_{name}.py.jinja`).
What starts with `#!` becomes executable. Templates use Jinja's defaults for white space; an
unknown variable is an error. The filter `quoted` writes a string as Python and TOML do, `dotenv` as
`.env` does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from polster_core.model import layout
from polster_core.rendering import dotenv
from polster_core.rendering.context import variables
from polster_core.types import NewFile, ProjectContext

if TYPE_CHECKING:
    import jinja2

_SUFFIX = ".jinja"
_TEXTS = frozenset({".md", ".py", ".service", ".template", ".toml", ".yaml", ".yml"})
_NO_FILE = "<template>"
"""What Jinja calls the file of a template that comes from a function."""
_WRONG = (
    *(ArithmeticError, AttributeError, ImportError, LookupError, OSError, TypeError, ValueError),
)
"""What an expression in a template may raise beside Jinja's own errors."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def project_files(package: str, folder: str, context: ProjectContext) -> Iterator[NewFile]:
    """Render the templates of a new project: `tree` with the variables of `variables`."""
    return tree(package, folder, variables(context))


def tree(
    package: str, folder: str, variables: Mapping[str, object], *, origin: str = ""
) -> Iterator[NewFile]:
    """Render every template below a folder of an import package, sorted by path.

    Raises jinja2.TemplateError for a template that cannot be rendered, and KeyError for a path with
    an unknown placeholder.
    """
    for path in _below(_resource(package, folder)):
        template = PurePosixPath(folder, path)
        target = PurePosixPath(*(_part(part, variables) for part in path.parts))
        if path.suffix != _SUFFIX:
            content = _resource(package, str(template)).read_bytes()
            script = content.startswith(b"#!")
            yield placed(NewFile(path=target, text=content, origin=origin, executable=script))
            continue
        text = render(package, str(template), variables)
        file = NewFile(path=target, text=text, origin=origin, executable=text.startswith("#!"))
        yield placed(file)


def placed(file: NewFile) -> NewFile:
    """Return a file of the usual layout as the one that is in use has it."""
    used = layout.current()
    path = used.place(file.path)
    if not used.package or not (file.path.suffix in _TEXTS or file.path.name == "Dockerfile"):
        return replace(file, path=path)
    return replace(file, path=path, text=used.text(path, file.content.decode()))


def render(package: str, template: str, variables: Mapping[str, object]) -> str:
    """Render one template, named by its path in an import package.

    Raises jinja2.TemplateError for one that cannot be rendered: it names the file and the line.
    """
    import jinja2

    try:
        return _environment().get_template(f"{package}:{template}").render(variables)
    except (*_WRONG, jinja2.TemplateError) as error:
        known = isinstance(error, jinja2.TemplateRuntimeError)
        kind = type(error) if known else jinja2.TemplateRuntimeError
        raise kind(_explained(error, f"{package}/{template}")) from error


def _explained(error: Exception, template: str) -> str:
    """Say where in a template something is wrong, and what."""
    lines = [getattr(error, "lineno", None)]
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _NO_FILE:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    line = next((number for number in reversed(lines) if number), 1)
    kind = f"{type(error).__name__}: " if isinstance(error, _WRONG) else ""
    return f"{template}, line {line}: {kind}{getattr(error, 'message', None) or error}"


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701 - what is written is code, not HTML
        keep_trailing_newline=True,
        loader=jinja2.FunctionLoader(_source),
        newline_sequence="\n",
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["quoted"] = _quoted
    environment.filters["dotenv"] = dotenv.quoted
    return environment


def _source(name: str) -> str:
    package, _, path = name.partition(":")
    return _resource(package, path).read_text(encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _resource(package: str, path: str) -> Traversable:
    return files(package).joinpath(*PurePosixPath(path).parts)


def _below(folder: Traversable) -> Iterator[PurePosixPath]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from (PurePosixPath(entry.name, path) for path in _below(entry))
        elif entry.is_file():
            yield PurePosixPath(entry.name)


def _part(part: str, variables: Mapping[str, object]) -> str:
    name = part.removesuffix(_SUFFIX)
    if name.startswith("dot_"):
        name = f".{name.removeprefix('dot_')}"
    return _PLACEHOLDER.sub(lambda found: str(variables[found[1]]), name)
