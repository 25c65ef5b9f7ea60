"""The virtual hosts: what each stands for, the port it has when started by hand, and the names it answers to."""

from dataclasses import dataclass

from tornado.httputil import HTTPHeaders


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """One host. `aliases` are first labels of names: the simulator's own, then those of the real services."""

    name: str
    port: int
    aliases: tuple[str, ...]
    stands_for: str


HOSTS = (
    VirtualHost("dte", 18443, ("dte", "palena", "maullin"), "SOAP services and DTEUpload (palena, maullin)"),
    VirtualHost("boleta_api", 18444, ("boleta-api", "api", "apicert"), "boletas: seed, token, queries (api, apicert)"),
    VirtualHost("boleta_up", 18445, ("boleta-up", "rahue", "pangal"), "boletas: upload (rahue, pangal)"),
    VirtualHost("reclamo", 18446, ("reclamo", "ws1", "ws2"), "claims and receipts of documents (ws1, ws2)"),
    VirtualHost("control", 18499, ("control",), "control API and this page; the real service has none"),
)
SHARED = "shared"
SHARED_PORT = 18498  # one port for all hosts, told apart by the Host header
REAL_NAMES = [f"{label}.sii.cl" for host in HOSTS for label in host.aliases if label not in {host.name, "control"}]
NAMES = ["localhost", *(label for host in HOSTS for label in host.aliases), *REAL_NAMES]
NAMES += [f"{host.aliases[0]}.localhost" for host in HOSTS]

_BY_LABEL = {label: host.name for host in HOSTS for label in host.aliases}


def host_of(headers: HTTPHeaders) -> str:
    """The host that a request's Host header means; the control side when it names none."""
    written = headers.get("Host", "").partition(":")[0].lower()
    return _BY_LABEL.get(written.partition(".")[0], "control")
