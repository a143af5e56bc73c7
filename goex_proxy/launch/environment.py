"""The variables that lead unmodified clients through the gateway.

Which client reads which was measured one by one; what REPLACES a client's roots gets the
bundle (system roots and ours), what ADDS to them gets our certificate alone. Known to stay
outside whatever is set: aiohttp without `trust_env`, `http.client`, bare urllib3, Node before
24 (its fetch reads no proxy variable, and the shim it would need is not shipped with Node).
A sealed view stops those; variables cannot.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from goex_proxy.launch.client_files import TRUSTSTORE_PASSWORD, ClientFiles

_PROXY = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_PROXY_ALSO = ("GRPC_PROXY", "grpc_proxy", "YARN_HTTPS_PROXY", "YARN_HTTP_PROXY")
_DIRECT = ("NO_PROXY", "no_proxy", "no_grpc_proxy")
_DIRECT_HOSTS = "127.0.0.1,localhost,::1"
_BUNDLE = (
    "SSL_CERT_FILE",  # OpenSSL, Go, Ruby, httpx, aiohttp, uv, most Rust
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "HTTPLIB2_CA_CERTS",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "npm_config_cafile",
    "YARN_HTTPS_CA_FILE_PATH",
    "CARGO_HTTP_CAINFO",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "NIX_SSL_CERT_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "BUNDLE_SSL_CA_CERT",
    "COMPOSER_CAFILE",
    "HEX_CACERTS_PATH",
    "JULIA_SSL_CA_ROOTS_PATH",
    "PERL_LWP_SSL_CA_FILE",
)
_ADDED = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
_GIT_HOSTS = ("github.com", "gitlab.com", "bitbucket.org")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """All that the variables are made of. The proxy URL bears the session's password."""

    proxy: str = field(repr=False)
    files: ClientFiles
    placeholders: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By variable: what the agent holds in place of a secret."""
    git_logins: Mapping[str, str] = field(default_factory=dict)
    """By host: the variable of the placeholder that git shall log in with there."""
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


def client_variables(clients: Clients) -> dict[str, str]:
    """Every variable, for the environment of a command or for `formats.render`.

    Raises ValueError if the proxy is no http URL, or a git login names no placeholder.
    """
    bundle = str(clients.files.bundle)
    variables = dict.fromkeys((*_PROXY, *_PROXY_ALSO), clients.proxy)
    variables |= dict.fromkeys(_DIRECT, _DIRECT_HOSTS)
    variables |= dict.fromkeys(_BUNDLE, bundle)
    variables |= dict.fromkeys(_ADDED, str(clients.files.ca))
    variables |= {
        "NODE_USE_ENV_PROXY": "1",
        "DENO_TLS_CA_STORE": "system,mozilla",
        "WGETRC": str(clients.files.wgetrc),
        "GIT_TERMINAL_PROMPT": "0",  # an agent cannot answer git's question for a password
    }
    variables |= _google_cloud(clients.proxy)
    variables["JAVA_TOOL_OPTIONS"] = " ".join(_java(clients))
    variables |= clients.placeholders
    variables |= git_configuration(_git(clients))
    return variables | dict(clients.extra)


def git_configuration(settings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Settings for git by environment (git-config(1), GIT_CONFIG_COUNT)."""
    variables: dict[str, str] = {}
    count = 0
    for count, (name, value) in enumerate(settings, start=1):
        variables[f"GIT_CONFIG_KEY_{count - 1}"] = name
        variables[f"GIT_CONFIG_VALUE_{count - 1}"] = value
    return {"GIT_CONFIG_COUNT": str(count), **variables}


def _git(clients: Clients) -> Iterable[tuple[str, str]]:
    # curl's default, any, offers no password until it is asked twice on some proxies.
    yield "http.proxyAuthMethod", "basic"
    for host in sorted({*_GIT_HOSTS, *clients.git_logins}):
        # ssh does not pass a proxy for HTTP.
        yield f"url.https://{host}/.insteadOf", f"git@{host}:"
        yield f"url.https://{host}/.insteadOf", f"ssh://git@{host}/"
    for host, variable in sorted(clients.git_logins.items()):
        if variable not in clients.placeholders:
            raise ValueError(f"git login for {host}: no placeholder in a variable {variable}")
        # The empty helper comes first: it takes away those of the user, which hold real secrets.
        yield f"credential.https://{host}.helper", ""
        yield f"credential.https://{host}.helper", _git_helper(variable)


def _git_helper(variable: str) -> str:
    answer = f"printf 'username=x-access-token\\npassword=%s\\n' \"${variable}\""
    return f'!f() {{ test "$1" != get || {answer}; }}; f'


def _google_cloud(proxy: str) -> dict[str, str]:
    host, port, user, password = _parts(proxy)
    variables = {
        "CLOUDSDK_PROXY_TYPE": "http",
        "CLOUDSDK_PROXY_ADDRESS": host,
        "CLOUDSDK_PROXY_PORT": str(port),
    }
    if user:
        variables |= {"CLOUDSDK_PROXY_USERNAME": user, "CLOUDSDK_PROXY_PASSWORD": password}
    return variables


def _java(clients: Clients) -> Iterable[str]:
    host, port, user, password = _parts(clients.proxy)
    for scheme in ("http", "https"):
        yield f"-D{scheme}.proxyHost={host}"
        yield f"-D{scheme}.proxyPort={port}"
        if user:
            # The JDK itself reads no password from properties: Maven, Gradle, Apache HttpClient do.
            yield f"-D{scheme}.proxyUser={user}"
            yield f"-D{scheme}.proxyPassword={password}"
    yield "-Dhttp.nonProxyHosts=localhost|127.*|[::1]"
    yield "-Djdk.http.auth.tunneling.disabledSchemes="
    yield f"-Djavax.net.ssl.trustStore={clients.files.truststore}"
    yield "-Djavax.net.ssl.trustStoreType=PKCS12"
    yield f"-Djavax.net.ssl.trustStorePassword={TRUSTSTORE_PASSWORD}"


def _parts(proxy: str) -> tuple[str, int, str, str]:
    url = urlsplit(proxy)
    if url.scheme != "http" or not url.hostname or not url.port:
        raise ValueError("the proxy must be http://[SESSION:PASSWORD@]HOST:PORT")
    return url.hostname, url.port, unquote(url.username or ""), unquote(url.password or "")
