"""idpyoidc's relying party, the library behind several certified ones: discovery, sign-in, ID token, userinfo."""

from urllib.parse import parse_qsl, urlsplit

from idpyoidc.client.rp_handler import RPHandler

from conftest import SECRET


def handler_of(server):
    return RPHandler(
        base_url="http://127.0.0.1:49152",
        keyjar=None,
        client_configs={
            "identity": {
                "issuer": server.issuer,
                "client_id": "relying-party",
                "client_secret": SECRET,
                "client_type": "oidc",
                "redirect_uris": [server.callback],
                "response_types_supported": ["code"],
                "scopes_supported": ["openid", "profile", "email"],
                "add_ons": {
                    "pkce": {
                        "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                        "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
                    }
                },
            }
        },
    )


def test_it_signs_in_and_reads_the_user(rs256, person, tmp_path, monkeypatch):
    # It writes keys of its own into the folder that it runs in.
    monkeypatch.chdir(tmp_path)
    handler = handler_of(rs256)
    begun = handler.begin("identity")
    url = begun if isinstance(begun, str) else begun["url"]
    answer = person.sign_in(url, "alice")
    response = dict(parse_qsl(urlsplit(answer).query))
    done = handler.finalize(rs256.issuer, response)
    assert "error" not in done, done
    assert done["id_token"]["sub"] == "alice"
    assert done["userinfo"]["name"] == "Alice Archer"
    assert done["token"]
