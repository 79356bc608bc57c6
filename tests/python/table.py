"""The table of operations, and how it is held against the installed library."""

import inspect
import pathlib
import re
import tomllib
import types
import typing

from pydantic import BaseModel
from svix.exceptions import HttpError

TABLE = pathlib.Path(__file__).parent.parent / "clients" / "operations.toml"
CLIENT = "python"
# Where a delivery stands, in the words of the library.
STATUSES = ["success", "pending", "fail", "sending"]


def _rows(table, path=()):
    for name, entry in table.items():
        if "call" in entry:
            if CLIENT in entry.get("clients", [CLIENT]):
                yield ".".join((*path, name)), entry
        else:
            yield from _rows(entry, (*path, name))


ROWS = dict(_rows(tomllib.loads(TABLE.read_text())))
SERVED = {name for name, row in ROWS.items() if row["served"]}
REFUSED = {name for name, row in ROWS.items() if not row["served"]}


def methods(api, path=()):
    """Every public method below an API object, by the name that the table gives it."""
    for name in dir(type(api)):
        if name.startswith("_"):
            continue
        member = inspect.getattr_static(type(api), name)
        if isinstance(member, property):
            yield from methods(getattr(api, name), (*path, name))
        elif inspect.isfunction(member):
            yield ".".join((*path, name.rstrip("_"))), getattr(api, name)


def check_complete(api):
    """The table has every method of the library and no other, each with what it calls."""
    there = dict(methods(api))
    assert set(there) == set(ROWS), f"operations.toml is not the library's surface: {set(there) ^ set(ROWS)}"
    for name, method in there.items():
        call = re.search(r'method="(\w+)",\s+path="([^"]+)"', inspect.getsource(method))
        if call:
            assert ROWS[name]["call"] == f"{call[1].upper()} {call[2]}", f"{name} calls {call[0]}"
        else:
            assert name == "application.get_or_create", f"{name} calls another method"


def _filler(annotation):
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation.model_construct()
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _filler(typing.get_args(annotation)[0])
    assert annotation in ("str", str), annotation
    return "none"


async def check_refused(api):
    """What the table says is not served is refused in JSON, so that the library can read it."""
    there = dict(methods(api))
    for name in sorted(REFUSED):
        parameters = inspect.signature(there[name], eval_str=True).parameters.values()
        given = [_filler(one.annotation) for one in parameters if one.default is inspect.Parameter.empty]
        try:
            answer = there[name](*given)
            if inspect.isawaitable(answer):
                answer = await answer
        except HttpError as error:
            # A method that the library asks for may be missing at a path that is there.
            assert error.status_code in (404, 405), f"{name}: {error.status_code}"
            assert error.code and error.detail, f"{name}: {error}"
        else:
            raise AssertionError(f"{name} is not served, and answered {answer}")
