"""requests_oauth2client, which checks what it is answered strictly, as it comes: discovery, sign-in, ID token, refresh."""

import pytest
from requests_oauth2client import OAuth2AccessTokenAuth, OAuth2Client
from requests_oauth2client.exceptions import InvalidClient, InvalidGrant

from conftest import CLIENT_ID, SECRET, TIMEOUT

import requests


def client_of(server, client_id=CLIENT_ID, **configured):
    # `testing` allows http, a host that is an address, and a port.
    return OAuth2Client.from_discovery_endpoint(
        issuer=server.issuer, client_id=client_id, redirect_uri=server.callback, testing=True, **configured
    )


def signed_in(client, person, username, **parameters):
    request = client.authorization_request(**parameters)
    response = request.validate_callback(person.sign_in(request.uri, username))
    return client.authorization_code(response)


def test_it_signs_in_unconfigured(rs256, person):
    token = signed_in(client_of(rs256, "relying-party", client_secret=SECRET), person, "alice", scope="openid profile")
    assert token.id_token.alg == "RS256"
    assert token.id_token.sub == "alice"


def test_it_signs_in_and_verifies_the_id_token(identity, person):
    client = client_of(identity, id_token_signed_response_alg="ES256")
    token = signed_in(client, person, "alice", scope="openid profile email")
    assert token.id_token.sub == "alice"
    assert set(token.scope.split()) == {"openid", "profile", "email"}
    me = requests.get(f"{identity.issuer}/me", auth=OAuth2AccessTokenAuth(client, token), timeout=TIMEOUT)
    assert me.json()["user"]["name"] == "Alice Archer"
    userinfo = client.userinfo(token.access_token)
    assert userinfo["email"] == "alice@example.com"


def test_a_refresh_and_a_revocation(identity, person):
    client = client_of(identity, id_token_signed_response_alg="ES256")
    first = signed_in(client, person, "bob", scope="openid profile")
    second = client.refresh_token(first)
    assert second.refresh_token != first.refresh_token
    assert client.revoke_refresh_token(second)
    with pytest.raises(InvalidGrant):
        client.refresh_token(second)


def test_a_job_in_its_own_name(identity):
    client = client_of(identity, "backend", client_secret=SECRET)
    token = client.client_credentials(scope="reports:read")
    reports = requests.get(f"{identity.issuer}/reports", auth=OAuth2AccessTokenAuth(client, token), timeout=TIMEOUT)
    assert reports.text == "All is well."
    assert client.introspect_token(token.access_token)["active"] is True
    stranger = client_of(identity, "backend", client_secret="another secret")
    with pytest.raises(InvalidClient):
        stranger.client_credentials(scope="reports:read")
