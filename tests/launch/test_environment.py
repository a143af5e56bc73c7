"""Variables for clients, taken by the real clients where they are here."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from goex_proxy.launch.client_files import ClientFiles
from goex_proxy.launch.environment import Clients, client_variables

PATH = "/usr/bin:/bin"
PROXY = "http://s1:pa%2Fss@127.0.0.1:8080"


def files() -> ClientFiles:
    return ClientFiles(
        ca=Path("/g/ca.pem"),
        bundle=Path("/g/bundle.pem"),
        truststore=Path("/g/truststore.p12"),
        wgetrc=Path("/g/wgetrc"),
    )


def clients(**changes: object) -> Clients:
    values: dict[str, object] = {"proxy": PROXY, "files": files(), **changes}
    return Clients(**values)  # type: ignore[arg-type]


def test_what_replaces_the_roots_gets_the_bundle_and_what_adds_gets_the_ca() -> None:
    variables = client_variables(clients())
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"):
        assert variables[name] == "/g/bundle.pem"
    for name in ("GIT_SSL_CAINFO", "PIP_CERT", "npm_config_cafile", "HTTPLIB2_CA_CERTS"):
        assert variables[name] == "/g/bundle.pem"
    assert variables["NODE_EXTRA_CA_CERTS"] == "/g/ca.pem"


def test_both_cases_of_the_proxy_are_set_and_loopback_is_direct() -> None:
    variables = client_variables(clients())
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        assert variables[name] == PROXY
    assert variables["NO_PROXY"] == variables["no_proxy"] == "127.0.0.1,localhost,::1"
    assert variables["CLOUDSDK_PROXY_PASSWORD"] == "pa/ss"


def test_placeholders_and_extras_are_there_and_never_in_a_repr() -> None:
    made = clients(placeholders={"GH_TOKEN": "ghp_placeholder"}, extra={"X": "y"})
    variables = client_variables(made)
    assert (variables["GH_TOKEN"], variables["X"]) == ("ghp_placeholder", "y")
    assert "ghp_placeholder" not in repr(made)
    assert "pa%2Fss" not in repr(made)


def test_a_proxy_that_is_no_http_url_is_refused_without_its_password() -> None:
    with pytest.raises(ValueError, match="the proxy must be http") as caught:
        client_variables(clients(proxy="socks5://s:hidden@h:1"))
    assert "hidden" not in str(caught.value)


def git(*arguments: str, given: str = "", **changes: object) -> str:
    environment = {"PATH": PATH, **client_variables(clients(**changes))}
    return subprocess.run(
        ["git", *arguments],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("url", ["git@github.com:o/r.git", "ssh://git@github.com/o/r.git"])
def test_git_rewrites_ssh_remotes_to_https(url: str) -> None:
    assert git("ls-remote", "--get-url", url).strip() == "https://github.com/o/r.git"
    assert git("config", "http.proxyAuthMethod").strip() == "basic"


def test_git_logs_in_with_the_placeholder_and_asks_no_helper_of_the_user(tmp_path: Path) -> None:
    home = tmp_path
    (home / ".gitconfig").write_text("[credential]\n\thelper = !echo password=real; echo\n")
    answer = git(
        "credential",
        "fill",
        given="protocol=https\nhost=github.com\n\n",
        placeholders={"GH_TOKEN": "ghp_placeholder"},
        git_logins={"github.com": "GH_TOKEN"},
        extra={"HOME": str(home)},
    )
    assert "username=x-access-token\npassword=ghp_placeholder\n" in answer
    assert "real" not in answer


def test_a_git_login_without_its_placeholder_is_refused() -> None:
    with pytest.raises(ValueError, match="no placeholder in a variable GH_TOKEN"):
        client_variables(clients(git_logins={"github.com": "GH_TOKEN"}))


def test_java_is_told_proxy_and_trust_store() -> None:
    java = shutil.which("java")
    options = client_variables(clients())["JAVA_TOOL_OPTIONS"]
    assert "-Djavax.net.ssl.trustStore=/g/truststore.p12" in options
    if java:
        done = subprocess.run(
            [java, "-XshowSettings:properties", "-version"],
            env={"PATH": PATH, "JAVA_TOOL_OPTIONS": options},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "https.proxyPort = 8080" in done.stderr
        assert "http.nonProxyHosts = localhost|127.*|[::1]" in done.stderr


def test_every_value_fits_every_format() -> None:
    variables = client_variables(clients())
    assert all("\n" not in value for value in variables.values())
    assert json.loads(json.dumps(variables)) == variables
