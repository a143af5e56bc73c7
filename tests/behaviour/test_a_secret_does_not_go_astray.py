"""P2, behind the dialling: a connection that leads elsewhere than it should gets no secret."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.beds.certificates import BedAuthority
from tests.behaviour.ground import Ground, Holding, Witness, stored
from tests.behaviour.tap import Loop

GOOD = "api.good.example"
SECRET = "real-secret-of-the-good-host-0001"
ASTRAY = """
import os
if "GOEX_ASTRAY" in os.environ:
    from goex_proxy.engine.mediation import Mediation
    from goex_proxy.engine.mediator import Address
    port = int(os.environ["GOEX_ASTRAY"])
    Mediation.upstream = lambda *_: Address(host="127.0.0.1", port=port, tls=False, sni="")
"""


def test_a_connection_that_leads_astray_gets_no_secret(
    tmp_path: Path, tap_loop: Loop, bed_authority: BedAuthority
) -> None:
    """The keyring looks at the connection for itself: it does not rely on who dialled it."""
    good, evil = Witness(tap_loop, tls=bed_authority.issue("localhost")), Witness(tap_loop)
    (tmp_path / "sitecustomize.py").write_text(ASTRAY)
    world = Ground(
        tmp_path / "w", tap_loop, {GOOD: good.url}, policy="rules:\n  - allow: '*'\n",
        config=f"upstream_ca: {bed_authority.certificate_file}",
        holdings=[Holding(name="good", source=stored(SECRET), host=GOOD)],
        environment={
            "GOEX_ASTRAY": str(evil.port),
            "PYTHONPATH": os.pathsep.join((str(tmp_path), *(p for p in sys.path if p))),
        },
    ).open()  # fmt: skip
    try:
        world.start()
        assert world.call("GET", f"https://{GOOD}/").status == 200
        assert evil.raw.startswith(b"GET / "), "it does lead astray"
        evil.clear()
        for method, what in (("GET", {}), ("POST", {"json": {"a": 1}})):
            answer = world.call(method, f"https://{GOOD}/", headers=world.bearer("good"), **what)
            assert answer.status == 403, answer
            assert "verified for another host" in answer.goex["reason"]
        assert not evil.raw
    finally:
        world.close()
        good.close()
        evil.close()
