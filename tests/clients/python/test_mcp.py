"""The Python SDK of the Model Context Protocol, from the URL of a server alone to the calls of its tools."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp import ClientSession
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

from conftest import PASSWORDS, TIMEOUT, Person


class Memory:
    """What an application supplies for the SDK to keep things in."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Agent:
    """A program that was given a URL, and a user with a browser."""

    def __init__(self, server, username, **metadata):
        self.url = f"{server.issuer}/mcp"
        self.username, self.memory, self.asked = username, Memory(), []
        self.metadata = OAuthClientMetadata(
            client_name="An agent", redirect_uris=[server.callback], token_endpoint_auth_method="none", **metadata
        )

    def changed(self, answer):
        """What comes back with the browser: here as it was sent."""
        return answer

    async def send_to_browser(self, url):
        self.asked.append({name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})
        person = Person()
        page = person.submit(person.open(url), self.username, PASSWORDS[self.username])
        assert "its name is not verified" in page.text
        answer = person.send(page, decision="allow")
        assert answer.status_code == 303, answer.text
        self.back = self.changed(
            {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
        )

    async def come_back(self):
        return AuthorizationCodeResult(**self.back)

    @asynccontextmanager
    async def connected(self):
        provider = OAuthClientProvider(self.url, self.metadata, self.memory, self.send_to_browser, self.come_back)
        async with (
            httpx2.AsyncClient(auth=provider, timeout=TIMEOUT) as http,
            streamable_http_client(self.url, http_client=http) as (read, write, *_),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            yield session


async def text(session, name, **arguments):
    return (await session.call_tool(name, arguments)).content[0].text


def flat(error):
    """The errors within groups of errors."""
    return [leaf for inner in error.exceptions for leaf in flat(inner)] if isinstance(error, BaseExceptionGroup) else [error]


def test_the_sdk_connects_by_the_url_alone(mcp_server):
    agent = Agent(mcp_server, "ada")

    async def use():
        async with agent.connected() as session:
            assert {tool.name for tool in (await session.list_tools()).tools} == {"add", "list"}
            assert await text(session, "add", text="Milk") == "added"
            assert await text(session, "list") == "Milk (by ada)"
        # What it keeps is enough to come again.
        async with agent.connected() as session:
            assert await text(session, "list") == "Milk (by ada)"

    asyncio.run(use())
    [asked] = agent.asked
    assert asked["resource"] == agent.url
    assert asked["code_challenge_method"] == "S256"
    assert asked["client_id"] == agent.memory.client.client_id
    assert agent.back["iss"] == mcp_server.issuer


def test_a_tool_is_for_those_whom_its_policy_lets_in(mcp_server):
    agent = Agent(mcp_server, "bob")

    async def use():
        async with agent.connected() as session:
            assert await text(session, "list") == ""
            with pytest.raises(Exception, match="not allowed"):
                await text(session, "add", text="Milk")

    asyncio.run(use())


def test_an_answer_of_another_issuer_is_not_taken(mcp_server):
    """RFC 9207: the SDK compares what the metadata and the redirect say, against mix-up."""
    agent = Agent(mcp_server, "ada")
    agent.changed = lambda answer: {**answer, "iss": "https://evil.example"}

    async def use():
        async with agent.connected():
            pytest.fail("it connected")

    with pytest.raises(BaseException) as refused:
        asyncio.run(use())
    assert any("iss mismatch" in str(error) for error in flat(refused.value)), flat(refused.value)
