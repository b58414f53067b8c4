"""requests-oauthlib drives the flow too: it makes and sends the PKCE values by itself."""

from requests_oauthlib import OAuth2Session

from conftest import CLIENT_ID


def test_full_flow(server, person):
    metadata = server.metadata()
    session = OAuth2Session(CLIENT_ID, redirect_uri=server.callback, pkce="S256")
    url, state = session.authorization_url(metadata["authorization_endpoint"])
    answer = person.sign_in(url, "user")
    assert f"state={state}" in answer

    token = session.fetch_token(
        metadata["token_endpoint"], authorization_response=answer, include_client_id=True, timeout=30
    )
    assert token["token_type"].lower() == "bearer"
    assert session.get(f"{server.issuer}/me", timeout=30).json()["role"] == "user"
    assert session.get(f"{server.issuer}/user", timeout=30).status_code == 200
    assert session.get(f"{server.issuer}/admin", timeout=30).status_code == 403
