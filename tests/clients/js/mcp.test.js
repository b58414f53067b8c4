// The client of the Model Context Protocol's SDK, in a version of 2025 and in a current one, signs a person in: from the
// challenge of a guarded address alone, to a token that this address takes, and to a fresh one after that.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { webcrypto } from 'node:crypto'

import * as of2025 from 'mcp-sdk-of-2025/client/auth.js'
import * as current from 'mcp-sdk/client/auth.js'

import { signIn, startIdentity, startQuickstart } from './quickstart.js'

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
