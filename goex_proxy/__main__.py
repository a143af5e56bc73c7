"""`python -m goex_proxy`, and the commands `goex` and `goex-proxy`."""

import sys


def main() -> int:
    """Run the command line; its exit code."""
    try:
        from goex_proxy.cli.main import main as command_line

        return command_line()
    except KeyboardInterrupt:
        return 130  # while it was still starting, or ending


if __name__ == "__main__":
    sys.exit(main())
