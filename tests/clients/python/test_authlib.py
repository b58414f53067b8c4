"""Authlib drives the whole flow; then the scenarios of fastapi-simple-oauth2, restated."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from conftest import CLIENT_ID


class Client:
    """A public client, as one writes it with Authlib."""

    def __init__(self, server, redirect_uri=None):
        self.metadata = server.metadata()
        self.session = OAuth2Session(
            CLIENT_ID,
            redirect_uri=redirect_uri or server.callback,
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
        )
        self.verifier = generate_token(48)

    def authorization_url(self):
        return self.session.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=self.verifier
        )

    def fetch_token(self, answer, **changes):
        arguments = {"code_verifier": self.verifier, **changes}
        return self.session.fetch_token(
            self.metadata["token_endpoint"], authorization_response=answer, **arguments
        )

    def access_token(self, person, username):
        url, _ = self.authorization_url()
        return self.fetch_token(person.sign_in(url, username))["access_token"]


def challenge_of(response):
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    return challenge


def test_metadata_passes_authlibs_validation(server):
    metadata = AuthorizationServerMetadata(server.metadata())
    # The one rule that a server on loopback cannot meet: https.
    for name in ("issuer", "authorization_endpoint", "token_endpoint"):
        assert metadata[name].startswith(server.issuer)
    for rule in (
        "scopes_supported",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "code_challenge_methods_supported",
    ):
        getattr(metadata, f"validate_{rule}")()
    assert metadata["issuer"] == server.issuer
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert "none" in metadata["token_endpoint_auth_methods_supported"]
    assert metadata["authorization_response_iss_parameter_supported"] is True


@pytest.mark.parametrize("redirect_uri", ["the quickstart's own page", "a loopback port"])
def test_full_flow(server, person, redirect_uri):
    redirect_uri = server.callback if redirect_uri == "a loopback port" else f"{server.issuer}/"
    client = Client(server, redirect_uri)
    url, state = client.authorization_url()

    answer = person.sign_in(url, "admin")
    assert answer.split("?")[0] == redirect_uri
    parameters = parse_qs(urlsplit(answer).query, strict_parsing=True)
    assert parameters.keys() == {"code", "state", "iss"}
    assert parameters["state"] == [state]
    assert parameters["iss"] == [server.issuer]

    token = client.fetch_token(answer, state=state)
    assert token["token_type"].lower() == "bearer"
    assert token["expires_in"] == 3600
    claims = jwt.decode(token["access_token"], options={"verify_signature": False})
    assert jwt.get_unverified_header(token["access_token"])["typ"] == "at+jwt"
    assert {"iss", "aud", "sub", "client_id", "iat", "exp", "jti"} <= claims.keys()
    assert claims["iss"] == server.issuer
    assert claims["client_id"] == CLIENT_ID
    assert claims["role"] == "admin"

    # The session of the library carries the token by itself.
    me = client.session.get(f"{server.issuer}/me", timeout=30)
    assert me.status_code == 200
    assert me.json()["role"] == "admin"
    for path in ("/user", "/admin"):
        assert client.session.get(server.issuer + path, timeout=30).status_code == 200, path


def test_wrong_password_shows_the_page_again(server, person):
    url, _ = Client(server).authorization_url()
    page = person.submit(person.open(url), "admin", "not the password")
    assert page.status_code == 401
    assert "Location" not in page.headers
    assert 'value="admin"' in page.text
    assert "not the password" not in page.text


def test_no_token_is_401(server):
    for path in ("/me", "/user", "/admin"):
        response = server.get(path)
        assert response.status_code == 401, path
        # RFC 6750 section 3.1: a request that did not try learns the way and nothing else.
        assert "error" not in challenge_of(response)


def test_invalid_token_is_401(server):
    for token in ("nonsense", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30."):
        response = server.get("/me", token)
        assert response.status_code == 401, token
        assert 'error="invalid_token"' in challenge_of(response)


@pytest.mark.parametrize("forgery", ["another key", "no key", "altered claims"])
def test_forged_token_is_401(server, person, forgery):
    token = Client(server).access_token(person, "user")
    assert server.get("/me", token).status_code == 200

    claims = jwt.decode(token, options={"verify_signature": False})
    typ = {"typ": jwt.get_unverified_header(token)["typ"]}
    head, _, signature = token.split(".")
    forged = {
        "another key": jwt.encode(claims, "another key of at least 32 bytes!!", "HS256", headers=typ),
        "no key": jwt.encode(claims, None, "none", headers=typ),
        "altered claims": ".".join(
            [head, jwt.encode({**claims, "role": "admin"}, "k" * 32, "HS256").split(".")[1], signature]
        ),
    }[forgery]
    for path in ("/me", "/admin"):
        response = server.get(path, forged)
        assert response.status_code == 401, path
        assert 'error="invalid_token"' in challenge_of(response)


def test_wrong_role_is_403(server, person):
    token = Client(server).access_token(person, "user")
    assert server.get("/me", token).json()["role"] == "user"
    assert server.get("/user", token).status_code == 200
    refused = server.get("/admin", token)
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in challenge_of(refused)


def test_wrong_verifier_and_replay_are_invalid_grant(server, person):
    client = Client(server)
    url, _ = client.authorization_url()
    answer = person.sign_in(url, "user")

    with pytest.raises(OAuthError) as refused:
        client.fetch_token(answer, code_verifier=generate_token(48))
    assert refused.value.error == "invalid_grant"

    # The refusal changed nothing: the right verifier still works.
    token = client.fetch_token(answer)["access_token"]
    assert server.get("/me", token).status_code == 200

    with pytest.raises(OAuthError) as replayed:
        client.fetch_token(answer)
    assert replayed.value.error == "invalid_grant"
    assert server.get("/me", token).status_code == 401
