"""From the files that people wrote to the book that the phases go by."""

from collections.abc import Iterable
from pathlib import Path

from goex_proxy.core.book import Book, Limits
from goex_proxy.core.catalog import Catalog
from goex_proxy.core.service import Service
from goex_proxy.files import policy_file, reverser_file
from goex_proxy.files.config import Config
from goex_proxy.files.issue import At, FileError, Issue
from goex_proxy.files.reverser_recall import Recaller
from goex_proxy.wire import push_report
from goex_proxy.wire.codecs import codec
from goex_proxy.wire.decode import decode, decode_answer


def shipped() -> Path:
    """Where the policies and reversers that come with goex-proxy are."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent


class Library:
    """Reads the files of one configuration. Raises `FileError` with all that is wrong."""

    def __init__(self) -> None:
        self._recaller = Recaller()
        self._limits: Limits | None = None

    def book(self, config: Config) -> Book:
        sources = policy_file.find(config.policies, config.base, shipped() / "policies")
        return Book(
            catalog=self.catalog(config),
            rules=policy_file.load(sources, config.lists, grouped=True),
            decode=decode,
            decode_answer=decode_answer,
            encode=encode,
            recall=self._recaller.recall,
            posture=config.posture,
            limits=self._limits_of(config),
        )

    def _limits_of(self, config: Config) -> Limits:
        """Those of the first reading: gateway and client keep theirs until the next start, too."""
        if self._limits is None:
            self._limits = Limits(
                body=config.limits.body,
                image_requests=config.limits.image_requests,
                upstream_timeout=config.limits.upstream_timeout,
            )
        return self._limits

    def catalog(self, config: Config) -> Catalog:
        """The services of all reverser files; the first file that names one has it."""
        services: list[Service] = []
        for path in reverser_paths(config):
            made = reverser_file.load(path.read_bytes(), str(path), config.services)
            for service in made:
                if any(other.name == service.name for other in services):
                    what = f"the service {service.name} stands in another file too"
                    raise FileError(Issue(At(str(path)), what, "name it in `reversers:` once"))
                services.append(service)
        for name in config.services:
            if not any(service.name == name for service in services):
                what = f"services: no reverser file describes a service {name}"
                known = ", ".join(sorted(service.name for service in services))
                where = At(str(config.base / "goex.yaml"))
                raise FileError(Issue(where, what, f"one of {known}, or a file of your own"))
        return Catalog(services=tuple(services))


def reverser_paths(config: Config) -> Iterable[Path]:
    """The files that `reversers:` of goex.yaml names: files, folders, `shipped`."""
    for entry in config.reversers:
        path = shipped() / "reversers" if entry == "shipped" else config.base / entry
        if entry.startswith("shipped:"):
            path = shipped() / "reversers" / f"{entry.partition(':')[2]}.yaml"
        if path.is_dir():
            yield from sorted(path.glob("*.yaml"))
        elif path.is_file():
            yield path
        else:
            raise FileError(Issue(At(str(path)), f"there is no such reverser file: {entry}"))


def encode(name: str, args: object) -> tuple[bytes, str]:
    """Body and content type by a named codec. Raises ValueError."""
    if not isinstance(args, dict):
        raise ValueError(f"{name}: the arguments are not a map")
    if name == "git-refusal":
        given = args.get("args")
        if not isinstance(given, dict) or "updates" not in given:
            raise ValueError("git-refusal: not a push")
        body = push_report.refuse(given, str(args.get("reason")))
        return body, "application/x-git-receive-pack-result"
    found = codec(name)
    if found is None or found.encode is None:
        raise ValueError(f"there is no codec {name} that writes")
    try:
        return found.encode(args), found.content_type
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None
