"""Where secrets lie on a developer's machine, and the plan that hides them from an agent."""

import os
import site
import sys
import sysconfig
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from goex_proxy.launch.local_sockets import listening_sockets
from goex_proxy.launch.mount_aliases import aliases, mounts
from goex_proxy.launch.other_homes import other_homes, working_folder
from goex_proxy.launch.plan import HidePlan

ALWAYS = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".config/gcloud", ".oci", ".config/doctl"),
    *(".local/share/keyrings", ".password-store", ".config/rclone", ".terraform.d"),
    *(".config/sops", ".config/age", ".vault-token", ".boto", ".s3cfg", ".config/op", ".fly"),
    *(".docker/config.json", ".config/containers/auth.json", ".netrc", "_netrc", ".authinfo"),
    *(".authinfo.gpg", ".git-credentials", ".config/git/credentials", ".cache/git/credential"),
    *(".git-credential-cache", ".pgpass", ".my.cnf", ".mylogin.cnf"),
)
"""Under the user's home, whatever our vault holds: keys of ssh, clouds, databases, and git."""

BY_SERVICE: Mapping[str, tuple[str, ...]] = {
    "github": (".config/gh/hosts.yml", ".config/hub", ".config/github-copilot"),
    "gitlab": (".config/glab-cli/config.yml",),
    "slack": (".slack/credentials.json",),
    "dropbox": (".dropbox", ".config/dbxcli"),
    "google": (".config/gspread", ".gmail", ".config/gam"),
    "gmail": (".config/gspread", ".gmail", ".config/gam"),
    "spotify": (".config/spotify-tui", ".cache/spotipy", ".config/spotify-player"),
    "npm": (".npmrc", ".yarnrc.yml"),
    "pypi": (".pypirc",),
    "cargo": (".cargo/credentials.toml", ".cargo/credentials"),
    "rubygems": (".gem/credentials",),
    "huggingface": (".cache/huggingface/token", ".huggingface/token"),
    "stripe": (".config/stripe",),
    "heroku": (".config/heroku",),
    "netlify": (".config/netlify",),
    "vercel": (".local/share/com.vercel.cli",),
    "anthropic": (".claude/.credentials.json",),
    "openai": (".codex/auth.json",),
}
"""Under the user's home, hidden when our vault holds a credential of that service."""

_RUN_KEPT = (
    *(
        "systemd/resolve",
        "resolvconf",
        "NetworkManager/resolv.conf",
        "NetworkManager/no-stub-resolv.conf",
    ),
    *("nscd", "current-system", "booted-system", "wrappers", "opengl-driver", "host", "media"),
)
"""Under /run: what names, programs and drivers are found by."""

_LINK_LIMIT = 256


def hide_plan(
    *,
    goex_home: Path,
    user_home: Path,
    environment: Mapping[str, str],
    visible: Iterable[Path] = (),
    services: Collection[str] = (),
    also: Iterable[Path] = (),
) -> HidePlan:
    """What a hidden view hides here and now: it reads directories, and changes nothing.

    `visible`: files in the gateway's home that clients need (`ClientFiles.paths`). `services`:
    those our vault holds a credential for. `also`: what else the gateway guards (a journal or
    key kept outside its home). `environment` is the user's, read for SSH_AUTH_SOCK and the like.
    Other homes of goex-proxy are hidden whole (`other_homes.py` says which are found).

    Raises ValueError if hiding would take the user's own home away.
    """
    home = goex_home.resolve()
    user = user_home.resolve()
    homes = [home, *other_homes(user, environment, working_folder())]
    for each in homes:
        if each == user or each in user.parents:
            raise ValueError(f"the gateway's home {each} holds the user's home: give it its own")
    names = (*ALWAYS, *(name for service in services for name in BY_SERVICE.get(service, ())))
    wanted = [*homes, *also, *(user / name for name in names), *_agents(environment, user)]
    named, known = _resolved(wanted), mounts()
    existing = _outermost((*named, *(other for path in named for other in aliases(path, known))))
    directories = tuple(path for path in existing if path.is_dir())
    files = [path for path in existing if not path.is_dir()]
    scratch = _scratch()
    inside = HidePlan(empty=directories, scratch=scratch)
    sockets = [path for path in listening_sockets() if not inside.covers(path)]
    links = [path for path in _link_targets(directories) if not inside.covers(path)]
    return HidePlan(
        empty=tuple(path for path in directories if not _within(path, scratch)),
        blank=tuple(
            dict.fromkeys(p for p in (*files, *sockets, *links) if not _within(p, scratch))
        ),
        keep=(*_resolved(visible), *_run_kept(scratch)),
        scratch=scratch,
        readonly=installation(),
    )


def installation() -> tuple[Path, ...]:
    """What this program is made of: an agent that could write there would be run by its user."""
    package = Path(__file__).resolve().parents[1]
    paths = [package, Path(sysconfig.get_path("stdlib")), Path(sys.executable)]
    paths += [Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))]
    if sys.prefix != sys.base_prefix:
        paths.append(Path(sys.prefix))
    if site.ENABLE_USER_SITE and Path(site.getusersitepackages()) in package.parents:
        paths.append(Path(site.getusersitepackages()))
    return _outermost(_resolved(paths))


def _agents(environment: Mapping[str, str], user: Path) -> Iterable[Path]:
    """Directories and sockets of agents, those that stand and those that may yet be made."""
    for name in ("SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DOCKER_HOST", "DBUS_SESSION_BUS_ADDRESS"):
        value = environment.get(name, "")
        place = value.split(":", 1)[0] if name == "GPG_AGENT_INFO" else value
        place = place.removeprefix("unix://").removeprefix("unix:path=").split(",", 1)[0]
        if place.startswith("/"):
            yield Path(place)
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        yield Path(runtime)
    temporary = Path(environment.get("TMUX_TMPDIR", "/tmp"))  # noqa: S108 - where tmux looks
    yield temporary / f"tmux-{os.getuid()}"
    yield Path(f"/tmp/krb5cc_{os.getuid()}")  # noqa: S108
    yield Path("/tmp/.X11-unix")  # noqa: S108
    yield Path("/var/run/secrets")
    yield user / ".docker/run"


def _scratch() -> tuple[Path, ...]:
    run = Path("/run")
    return (run,) if run.is_dir() and not run.is_symlink() else ()


def _run_kept(scratch: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(root / name for root in scratch for name in _RUN_KEPT if (root / name).exists())


def _resolved(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths that exist, with symbolic links followed: a mount covers what a link leads to."""
    return tuple(dict.fromkeys(path.resolve() for path in paths if os.path.exists(path)))


def _outermost(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(path for path in paths if not any(other in path.parents for other in paths))


def _within(path: Path, directories: tuple[Path, ...]) -> bool:
    return any(directory in (path, *path.parents) for directory in directories)


def _link_targets(directories: tuple[Path, ...]) -> Iterable[Path]:
    """Files that links in hidden directories lead to: dotfile managers keep the real ones apart."""
    for directory in directories:
        if not os.access(directory, os.R_OK | os.X_OK):
            continue
        for number, child in enumerate(directory.iterdir()):
            if number >= _LINK_LIMIT:
                break
            if child.is_symlink() and child.is_file():
                yield child.resolve()
