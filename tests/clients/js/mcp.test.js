// The client of the Model Context Protocol's SDK, in a version of 2025 and in a current one, signs a person in: from the
// challenge of a guarded address alone, to a token that this address takes, and to a fresh one after that.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { webcrypto } from 'node:crypto'

import * as oauth from 'oauth4webapi'
import * as of2025 from 'mcp-sdk-of-2025/client/auth.js'
import * as current from 'mcp-sdk/client/auth.js'

import { Client as ClientOf2025 } from 'mcp-sdk-of-2025/client/index.js'
import { StreamableHTTPClientTransport as TransportOf2025 } from 'mcp-sdk-of-2025/client/streamableHttp.js'
import { Client } from 'mcp-sdk/client/index.js'
import { StreamableHTTPClientTransport } from 'mcp-sdk/client/streamableHttp.js'

import { signIn, signInAndAllow, startIdentity, startMcp, startQuickstart } from './quickstart.js'

globalThis.crypto ??= webcrypto // Node.js 18 has it under this name only

/** What an application supplies: here a client that is registered already, and memory. */
class Provider {
  redirectUrl = 'http://127.0.0.1:49152/callback'

  constructor(clientId, scope) {
    this.clientId = clientId
    this.clientMetadata = { client_name: 'An agent', redirect_uris: [this.redirectUrl], scope }
  }

  clientInformation() {
    return { client_id: this.clientId }
  }

  state() {
    return (this.sent = crypto.randomUUID())
  }

  tokens() {
    return this.kept
  }

  saveTokens(tokens) {
    this.kept = tokens
  }

  redirectToAuthorization(url) {
    this.url = url
  }

  saveCodeVerifier(verifier) {
    this.verifier = verifier
  }

  codeVerifier() {
    return this.verifier
  }
}

/** One that is registered nowhere: it registers itself, and keeps the answer. */
class Stranger extends Provider {
  constructor() {
    super(undefined, undefined)
    this.clientMetadata = {
      client_name: 'An agent',
      redirect_uris: [this.redirectUrl],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    }
  }

  clientInformation() {
    return this.registered
  }

  saveClientInformation(registered) {
    this.registered = registered
  }
}

/** Where the metadata is, by the challenge that a stranger gets. */
async function challenged(sdk, address) {
  const response = await fetch(address)
  assert.equal(response.status, 401)
  return sdk.extractWWWAuthenticateParams
    ? sdk.extractWWWAuthenticateParams(response).resourceMetadataUrl
    : sdk.extractResourceMetadataUrl(response)
}

for (const [version, sdk] of Object.entries({ '1.20': of2025, current })) {
  test(`the SDK ${version} signs a person in`, async (t) => {
    const issuer = await startQuickstart(t)
    const serverUrl = `${issuer}/me`
    const provider = new Provider('demo')
    const resourceMetadataUrl = await challenged(sdk, serverUrl)
    assert.ok(resourceMetadataUrl, 'the challenge names the metadata of the resource')

    assert.equal(await sdk.auth(provider, { serverUrl, resourceMetadataUrl }), 'REDIRECT')
    assert.equal(provider.url.searchParams.get('resource')?.replace(/\/$/, ''), issuer)
    const answer = await signIn(provider.url, 'admin', 'admin123')
    assert.equal(answer.searchParams.get('state'), provider.sent)
    const authorizationCode = answer.searchParams.get('code')
    assert.equal(await sdk.auth(provider, { serverUrl, resourceMetadataUrl, authorizationCode }), 'AUTHORIZED')

    const me = await fetch(serverUrl, { headers: { authorization: `Bearer ${provider.kept.access_token}` } })
    assert.equal(me.status, 200)
    assert.equal((await me.json()).role, 'admin')
  })

  test(`the SDK ${version} refreshes what it has`, async (t) => {
    const issuer = await startIdentity(t)
    const serverUrl = `${issuer}/`
    const provider = new Provider('demo', 'openid profile')
    assert.equal(await sdk.auth(provider, { serverUrl, scope: 'openid profile' }), 'REDIRECT')
    const answer = await signIn(provider.url, 'alice', 'alice123')
    const authorizationCode = answer.searchParams.get('code')
    assert.equal(await sdk.auth(provider, { serverUrl, authorizationCode }), 'AUTHORIZED')
    const first = provider.kept
    assert.ok(first.refresh_token, 'a refresh token')
    assert.equal(await sdk.auth(provider, { serverUrl }), 'AUTHORIZED')
    assert.notEqual(provider.kept.access_token, first.access_token)
    assert.notEqual(provider.kept.refresh_token, first.refresh_token)
  })
}

for (const [version, [Sdk, Transport]] of Object.entries({
  '1.20': [ClientOf2025, TransportOf2025],
  current: [Client, StreamableHTTPClientTransport],
})) {
  test(`the SDK ${version} connects to an MCP server by its URL alone`, async (t) => {
    const origin = await startMcp(t)
    const url = new URL(`${origin}/mcp`)
    const provider = new Stranger()
    // Their streams are open, for which the server would wait.
    const clients = []
    const connect = async () => {
      const client = new Sdk({ name: 'test', version: '1' })
      const transport = new Transport(url, { authProvider: provider })
      clients.push(client)
      return { transport, connected: client.connect(transport).then(() => client) }
    }

    // The challenge, the metadata, the registration: then its user has to go to a browser.
    const first = await connect()
    await assert.rejects(first.connected, { name: 'Error', message: 'Unauthorized' })
    assert.equal(provider.url.searchParams.get('client_id'), provider.registered.client_id)
    assert.equal(provider.url.searchParams.get('resource'), url.href)
    const { answer, page } = await signInAndAllow(provider.url, 'ada', 'ada123')
    assert.match(page, /its name is not verified/)
    assert.match(page, /Read your notes/)
    await first.transport.finishAuth(answer.searchParams.get('code'))

    const client = await (await connect()).connected
    const { tools } = await client.listTools()
    assert.deepEqual(tools.map((tool) => tool.name).sort(), ['add', 'list'])
    const text = async (call) => (await client.callTool(call)).content[0].text
    assert.equal(await text({ name: 'add', arguments: { text: 'Milk' } }), 'added')
    assert.equal(await text({ name: 'list', arguments: {} }), 'Milk (by ada)')

    // The policy of a tool is about the claims of the user.
    const reader = new Stranger()
    const transport = new Transport(url, { authProvider: reader })
    await assert.rejects(new Sdk({ name: 'test', version: '1' }).connect(transport))
    const ofBob = await signInAndAllow(reader.url, 'bob', 'bob123')
    await transport.finishAuth(ofBob.answer.searchParams.get('code'))
    const bob = new Sdk({ name: 'test', version: '1' })
    clients.push(bob)
    await bob.connect(new Transport(url, { authProvider: reader }))
    assert.equal((await bob.callTool({ name: 'list', arguments: {} })).content[0].text, 'Milk (by ada)')
    await assert.rejects(bob.callTool({ name: 'add', arguments: { text: 'x' } }), /not allowed/)
    for (const client of clients) await client.close()
  })
}

test('oauth4webapi registers a client, with a secret and without', async (t) => {
  const issuer = await startMcp(t)
  const insecure = { [oauth.allowInsecureRequests]: true } // plain http, on loopback
  const found = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure })
  const as = await oauth.processDiscoveryResponse(new URL(issuer), found)
  for (const token_endpoint_auth_method of ['none', 'client_secret_basic']) {
    const metadata = { client_name: 'An agent', redirect_uris: ['https://agent.example/callback'], token_endpoint_auth_method }
    const answer = await oauth.dynamicClientRegistrationRequest(as, metadata, insecure)
    const client = await oauth.processDynamicClientRegistrationResponse(answer)
    assert.equal(typeof client.client_secret === 'string', token_endpoint_auth_method !== 'none')
    // The server knows it: what is wrong is the code alone.
    const authentication = client.client_secret ? oauth.ClientSecretBasic(client.client_secret) : oauth.None()
    const grant = new URLSearchParams({ code: 'made up', code_verifier: 'v'.repeat(43), redirect_uri: metadata.redirect_uris[0] })
    const refused = await oauth.genericTokenEndpointRequest(as, client, authentication, 'authorization_code', grant, insecure)
    assert.equal((await refused.json()).error, 'invalid_grant')
  }
})
