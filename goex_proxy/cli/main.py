"""The command line, `goex`: its commands, in the order in which one meets them.

Each command has a file of its own and imports what is heavy when it runs, so that `--help`,
`log` and `show` start at once.
"""

import os
import sys
from collections.abc import Sequence

import click

from goex_proxy import __version__
from goex_proxy.cli.agent import agent
from goex_proxy.cli.approve import approve, held, reject
from goex_proxy.cli.ca import ca
from goex_proxy.cli.demo import demo
from goex_proxy.cli.diff import diff
from goex_proxy.cli.doctor import doctor
from goex_proxy.cli.env import env, note
from goex_proxy.cli.failure import FAILED, Failure, code_of, complain, known
from goex_proxy.cli.init import init
from goex_proxy.cli.keep import keep
from goex_proxy.cli.log import log
from goex_proxy.cli.pause import pause, resume
from goex_proxy.cli.policy import policy
from goex_proxy.cli.redo import redo
from goex_proxy.cli.resolve import resolve
from goex_proxy.cli.reverser import reverser
from goex_proxy.cli.run import run
from goex_proxy.cli.secret import secret
from goex_proxy.cli.serve import serve
from goex_proxy.cli.session import session
from goex_proxy.cli.show import show
from goex_proxy.cli.status import status
from goex_proxy.cli.undo import undo
from goex_proxy.cli.verify import verify

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Begin": (init, demo, run, serve, env, note),
    "Who may do what": (secret, agent, session, policy, reverser),
    "See": (log, show, diff, status),
    "Decide": (held, approve, reject, pause, resume),
    "Take back": (undo, redo, keep, resolve),
    "Look after it": (doctor, verify, ca),
}


class Sections(click.Group):
    """Shows its commands in sections, in their order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.commands)) + 6
        for title, members in SECTIONS.items():
            with formatter.section(title):
                limit = formatter.width - width
                rows = [(str(c.name), c.get_short_help_str(limit)) for c in members]
                formatter.write_dl([(name.ljust(width - 6), text) for name, text in rows])


_COMPLETION = 'Completion: eval "$(_GOEX_COMPLETE=bash_source goex)"; or zsh_source, fish_source.'


@click.group(cls=Sections, epilog=_COMPLETION)
@click.option("--home", metavar="DIR", help="Where state lives: else $GOEX_HOME, ~/.goex-proxy.")
@click.version_option(__version__, "-V", "--version", prog_name="goex-proxy")
@click.pass_context
def cli(ctx: click.Context, home: str | None) -> None:
    """An agent's HTTP traffic, checked, recorded, and undoable.

    stdout is data, stderr is talk. Exit codes: 0 done, 1 failed, 2 usage or a bad file,
    3 refused or held, 4 conflict, 5 in doubt.
    """
    if "NO_COLOR" in os.environ:
        ctx.color = False


for _members in SECTIONS.values():
    for _command in _members:
        cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code. What went wrong is said on stderr, in words."""
    _have_streams()
    try:
        result = cli.main(arguments, prog_name="goex", standalone_mode=False)
    except click.Abort:
        complain("interrupted")
        return 130
    except Failure as error:
        complain(error.message, error.hint)
        return error.code
    except click.ClickException as error:
        return _misused(error)
    except BrokenPipeError:
        _drop_output()
        return FAILED
    except known() as error:
        complain(str(error))
        return code_of(error)
    except OSError as error:
        what = (error.strerror or str(error)).lower()
        complain(f"{what}: {error.filename}" if error.filename else what)
        _drop_output()
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last resort: a line, and no values
        from goex_proxy.console.fault import where

        complain(f"a fault of goex-proxy: {where(error)}", "goex doctor; then report this line")
        return FAILED
    return result if isinstance(result, int) else 0


def _drop_output() -> None:
    """Whoever read our output has gone, or it is full: what is left must not raise again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _have_streams() -> None:
    """Stand-ins for streams that our caller closed (`>&-`)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - until the process ends


def _misused(error: click.ClickException) -> int:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "goex"
    complain(f"{message[:1].lower()}{message[1:]}".rstrip("."), f"{path} --help")
    return error.exit_code
