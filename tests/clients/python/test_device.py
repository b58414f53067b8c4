"""Authlib as a device without a browser (RFC 8628)."""

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE

from conftest import TIMEOUT


class Device:
    """A device, as one writes it with Authlib."""

    def __init__(self, identity):
        self.metadata = identity.metadata()
        self.session = OAuth2Session("cli", token_endpoint_auth_method="none")
        endpoint = self.metadata["device_authorization_endpoint"]
        data = {"client_id": "cli", "scope": "profile"}
        response = self.session.request("POST", endpoint, data=data, withhold_token=True, timeout=TIMEOUT)
        assert response.status_code == 200, response.text
        self.asked = response.json()

    def decided(self, person, decision):
        url, code = self.asked["verification_uri_complete"], self.asked["user_code"]
        person.decide_on_device(url, code, "alice", decision)

    def poll(self):
        return self.session.fetch_token(
            self.metadata["token_endpoint"],
            grant_type=DEVICE_CODE_GRANT_TYPE,
            device_code=self.asked["device_code"],
        )

    def refused(self):
        with pytest.raises(OAuthError) as refused:
            self.poll()
        return refused.value.error


def test_authlib_waits_and_gets_its_tokens(identity, person):
    device = Device(identity)
    AuthorizationServerMetadata(device.metadata).validate_grant_types_supported()
    assert DEVICE_CODE_GRANT_TYPE in device.metadata["grant_types_supported"]
    assert device.refused() == "authorization_pending"
    assert device.refused() == "slow_down"
    device.decided(person, "allow")
    token = device.poll()
    assert token["scope"] == "profile"
    assert identity.get("/me", token["access_token"]).json()["client"] == "cli"
    renewed = device.session.refresh_token(device.metadata["token_endpoint"], token["refresh_token"])
    assert identity.get("/me", renewed["access_token"]).status_code == 200


def test_authlib_learns_that_it_was_denied(identity, person):
    device = Device(identity)
    device.decided(person, "deny")
    assert device.refused() == "access_denied"
