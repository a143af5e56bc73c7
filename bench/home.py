"""The home that is measured: a credential, twelve rules, a service with two operations."""

from pathlib import Path

from bench.upstream import Upstream
from goex_proxy.credentials.enrol import enrol
from goex_proxy.founding import found
from goex_proxy.home import Home
from goex_proxy.stores.credential import Stored
from goex_proxy.stores.secret import Secret

SECRET = b"ghp_benchbenchbenchbenchbenchbenchbench1"

_CONFIG = """\
version: 1
listen: 127.0.0.1:0
posture: balanced
policies: [./policies]
reversers: [shipped:github, ./reversers]
upstream_ca: {ca}
network: {{allow: ["{host}", "localhost:{slow}"]}}
"""

_POLICY = """\
version: 1
lists: {channels: [C0GENERAL, C0AGENTS], us: [example.com]}
let: {repo: "segments[0] + '/' + body_state"}
rules:
  - {deny: "bench.*", if: "kind != 'read' && !(args.channel in lists.channels)", id: r1}
  - {deny: "bench.*", if: "size(args.?text.orValue('')) > 4000", id: r2}
  - {deny: "*", unless: "recipients.all(r, domain(r) in lists.us)", id: r3}
  - {hold: "bench.*", if: "args.?force.orValue(false) == true", id: r4}
  - {allow: "bench.*", if: ["fidelity == 'none'", "kind != 'read'"], id: r5}
  - {hold: "bench.*", if: "body_state in ['too_large', 'invalid']", match: {path: /notes}, id: r6}
  - {deny: "*", if: "blast > 100 || session.writes > 500000000", id: r7}
  - {deny: "*", if: "rx(path, '^/repos/[^/]+/[^/]+/git/')", id: r8}
  - {deny: "*", if: "let.repo == 'acme/widgets' && agent.id != 'deployer'", id: r9}
  - {deny: "bench.*", if: "args.?labels.orValue([]).exists(l, l == 'protected')", id: r10}
  - {deny: "*", if: "auth == 'foreign' && service == 'bench'", id: r11}
  - {deny: "*", if: "credential.name.startsWith('prod-') && method == 'DELETE'", id: r12}
"""

_REVERSER = """\
version: 1
service: bench
hosts: ["{host}"]
credential: {{slots: [bearer], as: [BENCH_TOKEN]}}
resources:
  note: {{at: "/notes/{{n:int}}"}}
operations:
  notes/send: {{match: "POST /notes", fidelity: none}}
  notes/update: {{match: "PATCH {{note}}", fidelity: exact, undo: restore}}
"""


def make(at: Path, upstream: Upstream) -> tuple[Home, str]:
    """The home, and the placeholder of its credential."""
    home = Home(at)
    found(home)
    config = _CONFIG.format(ca=upstream.ca, host=upstream.host, slow=upstream.slow_port)
    home.config.write_text(config)
    (home.path / "policies" / "mine.yaml").write_text(_POLICY)
    (home.path / "reversers" / "bench.yaml").write_text(_REVERSER.format(host=upstream.host))
    vault = home.vault()
    try:
        credential = enrol(
            vault,
            Stored(Secret(SECRET)),
            name="bench",
            service="bench",
            hosts=[upstream.host],
            slots=["bearer"],
        )
    finally:
        vault.close()
    return home, credential.placeholder
