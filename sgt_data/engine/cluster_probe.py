"""Ask whether a Ray cluster answers, before Ray connects: its core would wait for minutes."""

from __future__ import annotations

import os
import socket
import time

from sgt_data.errors import BuildError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import cut

CONNECT_SECONDS = 60.0
"""How long a cluster may take to answer."""

# Ray speaks gRPC, which is HTTP/2 (RFC 9113, 3.4): each side begins with its settings
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS_FRAME = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_FRAME_HEADER_BYTES, _TYPE_AT, _SETTINGS = 9, 3, 4
_CLIENT_PORT = 10001


def host_and_port(address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `ray://host[:port]`; an IPv6 host is in brackets.

    Raises:
        RequestError: the address has another form.
    """
    is_client = address.startswith("ray://")
    place = address.removeprefix("ray://").split("/", 1)[0].split("?", 1)[0]
    host, colon, port = place.rpartition(":")
    if is_client and (not colon or place.endswith("]")):
        host, port = place, str(_CLIENT_PORT)
    fits = port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16
    if not host.strip("[]") or not fits:
        raise RequestError(
            f"address: found {cut(address)}; allowed: host:port (that `ray start --head` shows), "
            "ray://host:port, auto, or no address, for a Ray on this machine"
        )
    return host.strip("[]"), int(port)


def check_cluster(address: str, seconds: float) -> None:
    """Wait until a cluster answers.

    Args:
        address: `host:port` of its head, or `ray://host:port`.
        seconds: how long to wait.

    Raises:
        RequestError: the address has another form.
        BuildError: nothing answers, or not in time; says what was tried and what to check.
    """
    host, port = host_and_port(address)
    problem = _problem(host, port, time.monotonic() + seconds)
    if problem is not None:
        raise BuildError(no_answer(address, f"{host}, port {port}: {problem}", seconds))


def no_answer(address: str, problem: str, seconds: float) -> str:
    """What to say of a cluster that does not answer."""
    return (
        f"no Ray cluster answers at {address} ({problem}; waited at most {seconds:g} s). "
        "Check that the head node runs (`ray status` there), that its address and port are these, "
        "and that this machine reaches them; without --address a Ray is started on this machine"
    )


def _problem(host: str, port: int, deadline: float) -> str | None:
    """Why a server of Ray does not answer; None where it does."""
    try:
        with socket.create_connection((host, port), _left(deadline)) as connection:
            if os.environ.get("RAY_USE_TLS", "0").lower() not in ("", "0", "false"):
                return None  # whether a port is open is all that can be asked without keys
            connection.sendall(_PREFACE + _SETTINGS_FRAME)
            answer = b""
            while len(answer) < _FRAME_HEADER_BYTES:
                connection.settimeout(_left(deadline))
                if not (part := connection.recv(_FRAME_HEADER_BYTES - len(answer))):
                    return "the connection was closed without an answer"
                answer += part
    except TimeoutError:
        return "no answer in time"
    except OSError as why:
        return in_words(why)
    return None if answer[_TYPE_AT] == _SETTINGS else "what answers is no Ray"


def _left(deadline: float) -> float:
    return max(0.01, deadline - time.monotonic())
