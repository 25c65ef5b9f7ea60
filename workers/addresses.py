"""URLs of servers as the settings take them: what is accepted works with every library that is given it.

Celery's message library, redis-py, libpq and SQLAlchemy read a URL each in its own way: one takes `postgres://`,
another doesn't; one passes over a database that is no number, another ends in a traceback. So what not all of them
understand alike is refused here, with a sentence that shows no part of the URL (it holds a password).
"""

import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

_CLUSTER_SCHEMES: Final = ("redis+cluster", "rediss+cluster", "redis-cluster", "rediscluster", "cluster")
_REDIS_SCHEMES: Final = ("redis", "rediss", "redis+socket")
_SOCKET: Final = "redis+socket"
_TLS: Final = "rediss"
_TLS_OPTIONS: Final = frozenset({"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"})
_REQUIREMENTS: Final = frozenset({"required", "optional", "none"})
_HALF_ESCAPED: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_ENCODE: Final = (
    "in a user name or password each of @ : / ? # [ ] % must be percent-encoded (an @ is %40, a / is %2F, a % is %25)"
)


def check_redis_url(url: str) -> str:
    """Return a URL of one Redis-protocol server as it came; raises ValueError with a sentence for any other.

    Redis Cluster is refused: Celery's message library (kombu) has no transport for it, and the queues live there.
    """
    scheme = _scheme(url)
    if scheme.lower() in _CLUSTER_SCHEMES or ("," in url.partition("://")[2].partition("/")[0] and "redis" in scheme):
        raise ValueError(
            "Redis Cluster can't carry FMgo's queues (Celery's message library has no transport for it): "
            "give the URL of one server, which begins with redis:// or rediss://"
        )
    if scheme.lower().startswith("sentinel"):
        raise ValueError(
            "Redis Sentinel isn't supported yet: give the URL of one server, which begins with redis:// or rediss://"
        )
    if scheme == "unix":
        raise ValueError("write redis+socket:///path?virtual_host=0 for a socket: Celery doesn't know unix://")
    if scheme.lower() in _REDIS_SCHEMES and scheme != scheme.lower():
        raise ValueError(f"write {scheme.lower()}:// in small letters")
    if scheme not in _REDIS_SCHEMES:
        raise ValueError(
            "this isn't the URL of a Redis server: it must begin with redis://, rediss:// or redis+socket://"
        )
    parts = _parts(url)
    if scheme == _SOCKET:
        _check_socket(parts)
    else:
        _check_host(parts)
        if not re.fullmatch(r"/?[0-9]*", parts.path):
            raise ValueError("its database must be a number, as in redis://host:6379/0")
        _check_tls(scheme, _options(parts))
    return url


def _check_socket(parts: SplitResult) -> None:
    if parts.netloc.rpartition("@")[2] or len(parts.path) < 2:  # noqa: PLR2004 (a slash and a name)
        raise ValueError("write a socket as redis+socket:///path/of/the.sock?virtual_host=0")
    options = _options(parts)
    if options.keys() - {"virtual_host"} or not options.get("virtual_host", "0").isdecimal():
        raise ValueError("a socket takes no option but virtual_host, the number of its database")


def _check_tls(scheme: str, options: dict[str, str]) -> None:
    if options.keys() - _TLS_OPTIONS or (options and scheme != _TLS):
        raise ValueError("it has options that not every library knows: only rediss:// takes some, the ssl_ ones")
    if scheme == _TLS and options.get("ssl_cert_reqs") not in _REQUIREMENTS:
        raise ValueError("add ?ssl_cert_reqs=required (Celery's message library doesn't verify the server without it)")


def check_database_url(url: str) -> str:
    """Accept a libpq URL of one server; one of SQLAlchemy (``postgresql+psycopg://``) is refused: libpq can't read it.

    Raises ValueError with a sentence.
    """
    scheme = _scheme(url)
    if scheme != "postgresql":
        if scheme.lower() in ("postgres", "postgresql"):
            raise ValueError(
                "write postgresql:// (in full, and in small letters): not every library knows it otherwise"
            )
        raise ValueError("this isn't a PostgreSQL URL as libpq reads it: it must begin with postgresql://")
    parts = _parts(url)
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError("name one server: FMgo's ledger is at one address (a proxy or a service's name moves with it)")
    _check_host(parts)
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        raise ValueError(f"libpq doesn't understand it: look at its options; {_ENCODE}") from None
    return url


def check_http_url(url: str) -> str:
    """Accept ``http(s)://host[:port]`` and drop a slash at its end; a path would double the services' own paths."""
    parts = _parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("this must be http://host[:port] or https://host[:port]")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("this must be a host only, without path or query: the paths of the SII's services are fixed")
    if parts.username or parts.password:
        raise ValueError("this must not hold a user or password: the SII identifies by token")
    _check_host(parts)
    return url.rstrip("/")


def _scheme(url: str) -> str:
    return url.partition("://")[0] if "://" in url else ""


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise ValueError(f"this is no URL; {_ENCODE}") from None


def _check_host(parts: SplitResult) -> None:
    """Who and where: one user, one host, a port that is a number."""
    who, _, where = parts.netloc.rpartition("@")
    if "@" in who or who.count(":") > 1 or parts.fragment or _HALF_ESCAPED.search(who) or not where.isprintable():
        raise ValueError(_ENCODE)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"its port is no number from 1 to 65535; {_ENCODE}")


def _options(parts: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(parts.query, keep_blank_values=True))
