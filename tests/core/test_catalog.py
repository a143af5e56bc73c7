"""Which operation a request is; and which requests are two at once."""

import pytest

from goex_proxy.core.catalog import Catalog, Classified, Unreadable
from goex_proxy.core.decoded import Decoded
from goex_proxy.core.exchange import Headers, Request
from goex_proxy.core.operation import Fidelity, Kind, Match
from goex_proxy.core.service import NamedRead, Service
from goex_proxy.core.template import parse_template
from tests.core.world import Py, a_request, a_service, an_operation, decode


def a_read(method: str, path: str, when: Py | None = None) -> NamedRead:
    match = Match(template=parse_template(path), methods=frozenset({method}), when=when)
    return NamedRead(name="search", match=match)


SERVICE = a_service(
    an_operation("notes/create", "POST /notes"),
    an_operation("any", "POST /{rest+}", fidelity=Fidelity.NONE),
    an_operation("only-json", "PUT /notes/{id}", when=Py("args['kind'] == 'x'")),
    an_operation("coded", "POST /coded/{x}", decode="shout"),
    reads=(a_read("POST", "/search"), a_read("POST", "/maybe", Py("args['q']"))),
)
BARE = a_service(an_operation("chat.post", "/api/chat.post"), name="bare", verbs=False)


def found(request: Request, service: Service = SERVICE) -> Classified:
    return Catalog((service,)).classify(request, decode)


@pytest.mark.parametrize(
    ("method", "target", "json", "name", "kind"),
    [
        ("POST", "/notes", None, "example.notes/create", Kind.WRITE),
        ("POST", "/else/where", None, "example.any", Kind.WRITE),
        ("POST", "/search", None, "example.search", Kind.READ),
        ("POST", "/maybe", {"q": True}, "example.search", Kind.READ),
        ("POST", "/maybe", {}, "example.any", Kind.WRITE),
        ("POST", "/coded/1", None, "example.coded", Kind.WRITE),
        ("PUT", "/notes/1", {"kind": "x"}, "example.only-json", Kind.WRITE),
        ("PUT", "/notes/1", {}, "example.unregistered", Kind.UNKNOWN),
        ("GET", "/notes/1", None, "example.read", Kind.READ),
        ("DELETE", "/notes/1", None, "example.unregistered", Kind.UNKNOWN),
    ],
)
def test_the_file_speaks_first_and_then_the_verb(
    method: str, target: str, json: object, name: str, kind: Kind
) -> None:
    seen = found(a_request(method, target, json=json))
    assert (seen.name, seen.kind) == (name, kind)
    assert seen.registered == (kind is not Kind.UNKNOWN)


def test_a_service_whose_verbs_mean_nothing_reads_by_name_only() -> None:
    assert found(a_request("GET", "/api/chat.post"), BARE).name == "bare.chat.post"
    unknown = found(a_request("GET", "/api/other"), BARE)
    assert (unknown.kind, unknown.promise) == (Kind.UNKNOWN, Fidelity.NONE)


def test_a_host_without_a_file_goes_by_the_verb() -> None:
    catalog = Catalog(())
    assert catalog.classify(a_request(), decode).name == "http.read"
    assert catalog.classify(a_request("POST"), decode).name == "http.unregistered"
    assert not catalog.classify(a_request(), decode).registered
    assert Catalog((SERVICE,)).named("example") is SERVICE
    assert catalog.named("example") is None


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])
def test_a_method_that_a_header_overrides_is_refused(name: str) -> None:
    with pytest.raises(Unreadable, match="overridden"):
        found(a_request("POST", "/notes", headers=Headers(((name, "DELETE"),))))
    assert found(a_request("POST", "/notes", headers=Headers(((name, "post"),)))).registered


@pytest.mark.parametrize(
    "target", ["/notes?_method=DELETE", "/unknown/x?_method=DELETE", "/search?_method=put"]
)
def test_a_method_that_a_field_overrides_is_refused_of_registered_calls_too(target: str) -> None:
    with pytest.raises(Unreadable, match="_method"):
        found(a_request("POST", target))
    with pytest.raises(Unreadable, match="_method"):
        found(a_request("POST", "/notes", json={"_method": ["POST", "DELETE"]}))


def test_the_body_of_a_read_by_name_is_not_decoded_to_classify_it() -> None:
    decoded: list[bytes | None] = []

    def counting(request: Request, codec: str | None = None) -> Decoded:
        decoded.append(request.body)
        return decode(request, codec)

    catalog = Catalog((SERVICE,))
    seen = catalog.classify(a_request("POST", "/search?a=1", json={"_method": "PUT"}), counting)
    assert (seen.kind, decoded) == (Kind.READ, [b""])
    assert seen.decoded.args["_method"] == "PUT"
    with pytest.raises(Unreadable, match="_method"):
        catalog.classify(a_request("POST", "/maybe", json={"_method": "PUT", "q": True}), counting)


def test_a_trace_is_no_read() -> None:
    assert found(a_request("TRACE", "/notes")).kind is Kind.UNKNOWN
    assert Catalog(()).classify(a_request("TRACE"), decode).kind is Kind.UNKNOWN


def test_an_override_that_overrides_nothing_passes() -> None:
    assert found(a_request("POST", "/notes?_method=post")).registered
    assert found(a_request("GET", "/notes?_method=DELETE")).kind is Kind.READ


def test_a_path_of_two_readings_is_refused() -> None:
    with pytest.raises(Unreadable, match="dot"):
        found(a_request("POST", "/a/../notes"))


def test_names_of_the_path_never_hide_names_of_the_request() -> None:
    service = a_service(an_operation("x", "POST /{args}/{id}"))
    names = found(a_request("POST", "/a/b", json={"q": 1}), service).names()
    assert (names["args"], names["id"]) == ({"q": 1}, "b")
