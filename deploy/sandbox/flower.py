"""Flower in a sandbox, on a port of this machine and under a password that a kept folder's next run has again."""

import os
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.servers import free_port
from deploy.sandbox.supervisor import Child

_LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class FlowerWindow:
    """Where Flower will answer, and who may look; `port_file` is there once it does."""

    child: Child
    port_file: str
    user: str
    password: str

    def address(self) -> str | None:
        """Its address, or None while it is starting."""
        try:
            with open(self.port_file, encoding="ascii") as file:  # noqa: PTH123 - a path held as text
                return f"http://127.0.0.1:{file.read().strip()}"
        except FileNotFoundError:
            return None

    def wait(self, seconds: float) -> str | None:
        """Its address once it answers, or None after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.address() is None and time.monotonic() < deadline:
            self.child.check()
            time.sleep(_LOOK_EVERY_SECONDS)
        return self.address()


def start_flower(sandbox: Sandbox) -> FlowerWindow:
    """Start Flower; it is ready a moment later (`address`)."""
    port_file = sandbox.folder / "flower.port"
    port = free_port(_last_port(port_file))
    port_file.unlink(missing_ok=True)
    password_file = sandbox.folder / "flower.password"
    if not password_file.exists():
        with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(9) + "\n")
    child = sandbox.spawn(
        "flower",
        [sys.executable, "-m", "monitoring.flower"],
        env={
            "FMGO_FLOWER_PASSWORD_FILE": str(password_file),
            "FMGO_FLOWER_PORT": str(port),
            "FMGO_FLOWER_PORT_FILE": str(port_file),
        },
    )
    return FlowerWindow(child, str(port_file), "fmgo", password_file.read_text(encoding="utf-8").strip())


def _last_port(file: Path) -> int:
    """The port of the last run, 0 where there was none."""
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
