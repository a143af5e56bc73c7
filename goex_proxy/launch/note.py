"""What an agent should know, for AGENTS.md or CLAUDE.md."""

NOTE = """\
## Network: behind goex-proxy
- Your HTTP traffic goes through goex-proxy: each change is checked, recorded, and can be undone.
- Tokens in your environment are placeholders: use them as they are; the real ones are put in on
  the way. Do not look for real ones, and do not ask for them.
- An answer with a `goex` object comes from the proxy and not from the service: read its `hint`.
- `held`: a person must approve. Do not retry and do not work around it; tell your user the
  command in the hint (`goex approve eN`), and go on with other work meanwhile.
- `refused`: a policy forbids it. Say so to your user. `in_doubt`: look before you repeat a change.
- What you may do here, and the state of your calls: `curl http://goex.internal/`.
- Keep the proxy variables (HTTPS_PROXY ...) for the programs you start; use https remotes for git.
"""


def note() -> str:
    """Ten lines in Markdown, with a heading of their own."""
    return NOTE
