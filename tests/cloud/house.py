"""A mosquitto with mutual TLS on loopback, certificates by `openssl`, the real agent, and a subscriber that
hands over what comes, in order.

Each program that is started here is ended here, by its own process id.
"""

import contextlib
import os
import queue
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt

PATIENCE = 60.0
NAME = "pi-7"
CA_EXTENSIONS = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
SERVER_EXTENSIONS = "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
DEVICE_EXTENSIONS = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"


class Program:
    """A program that runs, and the lines of its standard error."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.name = Path(command[0]).name
        self.seen: list[str] = []
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            command,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.put(line.rstrip())
        self.lines.put(None)

    def wait_for(self, part: str) -> str:
        """The next line with `part` in it."""
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            self.seen.append(line)
            if part in line:
                return line
        raise AssertionError(f"{self.name}: no line with {part!r} in time:\n" + "\n".join(self.seen[-40:]))

    def end(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.reader.join()
        while not self.lines.empty():
            self.seen.append(self.lines.get() or "")
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


def openssl(*arguments: str, stdin: str = "") -> str:
    """Runs `openssl`, and gives what it prints."""
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments}: {done.stderr}")
    return done.stdout


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.config = folder / "openssl.cnf"
        self.config.write_text("[req]\ndistinguished_name=name\nx509_extensions=ca\n[name]\n[ca]\n" + CA_EXTENSIONS)
        self.key, self.certificate = folder / "ca.key", folder / "ca.pem"
        self.key.write_text(new_key())
        request = ["req", "-x509", "-new", "-days", "2", "-subj", "/O=pivitals/CN=Test Root CA"]
        self.certificate.write_text(openssl(*request, "-config", str(self.config), "-key", str(self.key)))

    def certify(self, name: str, extensions: str, key_file: Path, certificate_file: Path) -> None:
        """Writes a key and its certificate."""
        key_file.write_text(new_key())
        extension_file = self.folder / f"{name}.ext"
        extension_file.write_text(extensions)
        request = openssl(
            "req", "-new", "-config", str(self.config), "-key", str(key_file), "-subj", f"/O=pivitals/CN={name}"
        )
        certificate = openssl(
            "x509", "-req", "-days", "2", "-CAcreateserial", "-CA", str(self.certificate), "-CAkey", str(self.key),
            "-extfile", str(extension_file), stdin=request,
        )  # fmt: skip
        certificate_file.write_text(certificate)


def new_key() -> str:
    return openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")


def free_port() -> int:
    """A port that nobody listens on, and that the system gives to nobody who asks for any, for a minute: a closed
    connection of its own lingers on it. Who asks for this very port gets it.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address) as client:
            # The end that closes first is the one that lingers (RFC 9293, TIME-WAIT).
            listener.accept()[0].close()
            client.recv(1)
        return int(address[1])


@dataclass
class Delivery:
    """A message as the subscriber got it."""

    topic: str
    payload: bytes
    qos: int


class House:
    """A broker, its authority and a device's certificates, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "authority")
        self.authority.certify("localhost", SERVER_EXTENSIONS, folder / "server.key", folder / "server.crt")
        self.certs = folder / "certs"
        self.certs.mkdir()
        (self.certs / "AmazonRootCA1.pem").write_text(self.authority.certificate.read_text())
        names = f"{NAME}-private.pem.key", f"{NAME}-certificate.pem.crt"
        self.authority.certify(NAME, DEVICE_EXTENSIONS, *(self.certs / name for name in names))
        self.port, self.plain_port = free_port(), free_port()
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            # As root it would become another user, who cannot read the key.
            ("user root\n" if os.geteuid() == 0 else "")
            + "per_listener_settings true\nlog_dest stderr\nlog_type all\nmax_queued_messages 0\n"
            # For who looks on.
            + f"listener {self.plain_port} 127.0.0.1\nallow_anonymous true\n"
            + f"listener {self.port} 127.0.0.1\ncafile {self.authority.certificate}\n"
            + f"certfile {folder}/server.crt\nkeyfile {folder}/server.key\n"
            + "require_certificate true\nuse_identity_as_username true\n"
        )
        self.mosquitto: Program | None = None
        self.inbox: queue.Queue[Delivery] = queue.Queue()
        self.ends = contextlib.ExitStack()

    def open(self) -> None:
        """Starts the broker, and subscribes. Basic Ingest's topics, which AWS lets nobody subscribe to, go to
        its rules engine; here they go to who stands for it.
        """
        self.mosquitto = Program([mosquitto_path(), "-c", str(self.config)])
        self.ends.callback(self.mosquitto.end)
        self.mosquitto.wait_for(" running")
        subscribed = threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="rules-engine", protocol=mqtt.MQTTv311)
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = lambda _, __, m: self.inbox.put(Delivery(m.topic, m.payload, m.qos))
        client.connect("127.0.0.1", self.plain_port)
        client.loop_start()
        self.ends.callback(client.loop_stop)
        self.ends.callback(client.disconnect)
        client.subscribe([("#", 1), ("$aws/rules/#", 1)])
        if not subscribed.wait(PATIENCE):
            raise AssertionError("mosquitto does not take the subscription")

    def start(
        self,
        binary: Path,
        board: Path,
        config: Path,
        environment: dict[str, str] | None = None,
        prefix: list[str] | None = None,
    ) -> Program:
        """Starts the agent; `prefix` is a command that becomes it."""
        command = [str(binary), "run", "--config", str(config), "--root", str(board)]
        program = Program([*(prefix or []), *command], environment)
        self.ends.callback(program.end)
        return program

    def write_config(self, text: str) -> Path:
        """A device's configuration: the way to the broker, and what `text` adds."""
        path = self.folder / "pivitals.conf"
        path.write_text(
            f"endpoint = 127.0.0.1\nport = {self.port}\nclient_id = {NAME}\nlabel = {NAME}\ncerts = {self.certs}\n"
            f"log = stderr\n{text}\n"
        )
        return path

    def message(self) -> Delivery:
        """The next message."""
        try:
            return self.inbox.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError("no message in time") from None

    def __enter__(self) -> "House":
        return self

    def __exit__(self, *_: object) -> None:
        """Ends all that was started."""
        self.ends.close()


def mosquitto_path() -> str:
    """Debian keeps it where only root looks."""
    found = next((path for path in ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto") if Path(path).exists()), None)
    return found or "mosquitto"
