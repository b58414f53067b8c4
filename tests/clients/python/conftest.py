"""The examples as servers of the test's own, and a person who signs in to them."""

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import requests

# Both libraries insist on https; the examples are on loopback.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = {
    name: Path(os.environ.get(f"{name.upper()}_BIN", ROOT / f"target/debug/examples/{name}"))
    for name in ("quickstart", "identity", "mcp")
}
EXAMPLES["key_periods"] = Path(os.environ.get("KEY_PERIODS_BIN", ROOT / "target/debug/key_periods"))
START_SECONDS = 30
TIMEOUT = 30

CLIENT_ID = "demo"
# Of the confidential clients of the identity server.
SECRET = "a secret of an example, which everyone knows"
PASSWORDS = {"admin": "admin123", "user": "user123", "alice": "alice123", "bob": "bob123", "ada": "ada123"}


@dataclass(frozen=True)
class Server:
    """A running example."""

    issuer: str
    log: Path

    @property
    def callback(self):
        """The loopback redirect URI, on a port of this run's own choice; nothing needs to listen there."""
        return "http://127.0.0.1:49152/callback"

    def metadata(self):
        response = requests.get(f"{self.issuer}/.well-known/oauth-authorization-server", timeout=TIMEOUT)
        assert response.status_code == 200, response.text
        return response.json()

    def get(self, path, token=None):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return requests.get(self.issuer + path, headers=headers, timeout=TIMEOUT)


@pytest.fixture
def server(tmp_path):
    """A quickstart of this test's own, so that no test feels another's failed sign-ins."""
    with _running("quickstart", tmp_path) as server:
        yield server


@pytest.fixture
def identity(tmp_path):
    """The identity server of the examples, with OpenID Connect."""
    with _running("identity", tmp_path) as server:
        yield server


@pytest.fixture
def mcp_server(tmp_path):
    """The MCP server of the examples, to which any client may come."""
    with _running("mcp", tmp_path) as server:
        yield server


@pytest.fixture
def rs256(tmp_path):
    """The same, with an RSA key beside its own, for clients that assume RS256."""
    key = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    with _running("identity", tmp_path, OAUTH_RSA_KEY=key) as server:
        yield server


@pytest.fixture
def key_periods(tmp_path):
    """A service whose clock a request moves."""
    with _running("key_periods", tmp_path) as server:
        yield server


@contextmanager
def _running(name, tmp_path, **environment):
    binary = EXAMPLES[name]
    if not binary.is_file():
        pytest.fail(f"{binary} is missing: run `cargo build --examples`, or set {name.upper()}_BIN")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binary],
            env={**os.environ, "PORT": str(port), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        server = Server(f"http://127.0.0.1:{port}", log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            if process.poll() is not None:
                pytest.fail(f"the {name} ended with {process.returncode}:\n{log.read_text()}")
            try:
                server.metadata()
                break
            except requests.ConnectionError:
                if time.monotonic() > deadline:
                    pytest.fail(f"the {name} did not answer within {START_SECONDS} s:\n{log.read_text()}")
                time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _Form(HTMLParser):
    """The first form of a page: where it goes, and its fields with their values."""

    def __init__(self, html):
        super().__init__()
        self.method = self.action = None
        self.fields = {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form" and self.action is None:
            self.method, self.action = attrs.get("method", "get").lower(), attrs.get("action", "")
        elif tag == "input" and "name" in attrs:
            self.fields[attrs["name"]] = attrs.get("value") or ""


class Person:
    """A user with a browser, that is, with cookies."""

    def __init__(self):
        self.browser = requests.Session()

    def open(self, url):
        return self.browser.get(url, allow_redirects=False, timeout=TIMEOUT)

    def submit(self, page, username, password):
        assert {"username", "password"} <= _Form(page.text).fields.keys()
        return self.send(page, username=username, password=password)

    def send(self, page, **typed):
        """The form of a page, with what is typed and pressed."""
        form = _Form(page.text)
        assert form.method == "post"
        assert "request" in form.fields
        data = {**form.fields, **typed}
        action = urljoin(page.url, form.action)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(action))
        return self.browser.post(
            action, data=data, headers={"Origin": origin}, allow_redirects=False, timeout=TIMEOUT
        )

    def sign_in(self, url, username):
        """From the client's link to the address that the browser is sent back to."""
        page = self.open(url)
        assert page.status_code == 200, page.text
        answer = self.submit(page, username, PASSWORDS[username])
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def decide_on_device(self, url, code, username, decision):
        """From the link that a device shows to what its user decides."""
        page = self.open(url)
        assert f'value="{code}"' in page.text
        page = self.submit(self.send(page), username, PASSWORDS[username])
        assert code in page.text
        answer = self.send(page, decision=decision)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def person():
    return Person()
