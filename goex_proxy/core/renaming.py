"""New ids for old: what an undo had to make anew has another name since.

Every later undo that means the old one must find the new one: in what it reads, and in the
path, query and form of what it sends. Renames are followed until there is no newer one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode

from goex_proxy.core.event import Aliased
from goex_proxy.core.exchange import Request
from goex_proxy.core.path import parse
from goex_proxy.core.resource import Instance

_TELLING = 6
"""Characters from which a bare value can only be that id: `3` may be anything."""


def renamed(instance: Instance, aliases: Iterable[Aliased]) -> Instance:
    """The resource under the id that it has now."""
    params = dict(instance.params)
    for alias in aliases:
        shared = alias.old.keys() & params.keys()
        whole = alias.resource != instance.resource or shared == alias.old.keys()
        found = all(params[key] == alias.old[key] for key in shared)
        if whole and found and _changed(alias).keys() <= shared:
            params |= {key: alias.new[key] for key in shared}
    return replace(instance, params=params)


def redirected(request: Request, aliases: Iterable[Aliased]) -> Request:
    """The request, meaning what it meant, under the ids of now."""
    for alias in aliases:
        changed = _changed(alias)
        if not changed:
            continue
        path = _path(request.path, alias)
        news = {old: alias.new[key] for key, old in changed.items() if len(old) >= _TELLING}
        query = _pairs(request.query, news)
        target = f"{path}?{query}" if query else path
        request = replace(request, target=target)
        form = request.headers.get("content-type").startswith("application/x-www-form-urlencoded")
        if form and request.body:
            request = request.with_body(_pairs(request.body.decode(), news).encode())
    return request


def _changed(alias: Aliased) -> dict[str, str]:
    return {key: value for key, value in alias.old.items() if alias.new.get(key) != value}


def _path(path: str, alias: Aliased) -> str:
    """The path with the old one's own path, at its beginning, replaced."""
    if not alias.old_path:
        return path
    if path == alias.old_path or path.startswith(alias.old_path + "/"):
        return alias.new_path + path[len(alias.old_path) :]
    segments = parse(path).segments
    old, new = parse(alias.old_path).segments, parse(alias.new_path).segments
    if segments[: len(old)] == old:
        return str(replace(parse(path), segments=(*new, *segments[len(old) :])))
    return path


def _pairs(text: str, news: Mapping[str, str]) -> str:
    """Query or form with the old id's value replaced, where a value can only be that id."""
    if not any(quote(old, safe="") in text for old in news):
        return text
    pairs = parse_qsl(text, keep_blank_values=True)
    return urlencode([(name, news.get(value, value)) for name, value in pairs])
