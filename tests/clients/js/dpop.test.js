// oauth4webapi and openid-client hold a key, and bind their tokens to it (RFC 9449). The server demands its nonces.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { webcrypto } from 'node:crypto'

import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

import { signIn, startIdentity } from './quickstart.js'

globalThis.crypto ??= webcrypto // Node.js 18 has it under this name only

const insecure = { [oauth.allowInsecureRequests]: true } // plain http, on loopback
const client = { client_id: 'demo' }
const redirectUri = 'http://127.0.0.1:49152/callback'

async function discover(issuer) {
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oidc', ...insecure })
  return oauth.processDiscoveryResponse(new URL(issuer), response)
}

/** Asks as a client does: once more with the nonce where the server wants one. `asked` counts how often. */
async function withNonce(ask, asked = { times: 0 }) {
  asked.times += 1
  try {
    return await ask()
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error
    asked.times += 1
    return ask()
  }
}

async function authorize(as, push) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: 'openid profile',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const url = new URL(as.authorization_endpoint)
  url.search = push ? new URLSearchParams({ client_id: client.client_id, request_uri: await push(asked) }) : asked
  const parameters = oauth.validateAuthResponse(as, client, await signIn(url, 'alice', 'alice123'), state)
  return { verifier, parameters }
}

async function redeem(as, { parameters, verifier }, DPoP, asked) {
  return withNonce(async () => {
    const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), parameters, redirectUri, verifier, {
      DPoP,
      ...insecure,
    })
    return oauth.processAuthorizationCodeResponse(as, client, response)
  }, asked)
}

async function refresh(as, token, DPoP) {
  return withNonce(async () => {
    const response = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, { DPoP, ...insecure })
    return oauth.processRefreshTokenResponse(as, client, response)
  })
}

const call = (as, path, token, DPoP) =>
  withNonce(() => oauth.protectedResourceRequest(token, 'GET', new URL(path, as.issuer), undefined, undefined, { DPoP, ...insecure }))

const handle = async (alg) => oauth.DPoP(client, await oauth.generateKeyPair(alg))

for (const alg of ['ES256', 'Ed25519', 'RS256']) {
  test(`oauth4webapi binds its tokens to a key for ${alg}`, async (t) => {
    const as = await discover(await startIdentity(t))
    assert.ok(as.dpop_signing_alg_values_supported.includes(alg))
    const key = await handle(alg)
    const asked = { times: 0 }
    const tokens = await redeem(as, await authorize(as), key, asked)
    assert.equal(asked.times, 2) // the first time without a nonce
    assert.equal(tokens.token_type, 'dpop')
    assert.equal((await (await call(as, '/me', tokens.access_token, key)).json()).user.sub, 'alice')
    assert.equal((await (await call(as, '/userinfo', tokens.access_token, key)).json()).name, 'Alice Archer')

    const renewed = await refresh(as, tokens.refresh_token, key)
    assert.equal(renewed.token_type, 'dpop')
    assert.equal((await call(as, '/me', renewed.access_token, key)).status, 200)
  })
}

test('nothing of it is of use without the key', async (t) => {
  const as = await discover(await startIdentity(t))
  const [key, thief] = [await handle('ES256'), await handle('ES256')]
  const tokens = await redeem(as, await authorize(as), key)
  const refused = (thrown) => {
    assert.ok(thrown instanceof oauth.WWWAuthenticateChallengeError, String(thrown))
    assert.deepEqual([thrown.status, thrown.cause[0].scheme, thrown.cause[0].parameters.error], [401, 'dpop', 'invalid_token'])
    return true
  }
  await assert.rejects(call(as, '/me', tokens.access_token, undefined), refused)
  await assert.rejects(call(as, '/me', tokens.access_token, thief), refused)
  for (const other of [undefined, thief]) {
    await assert.rejects(refresh(as, tokens.refresh_token, other), { error: 'invalid_grant', status: 400 })
  }
  assert.equal((await refresh(as, tokens.refresh_token, key)).token_type, 'dpop')
})

test('a key that is shown with a pushed request binds the code', async (t) => {
  const as = await discover(await startIdentity(t))
  const [key, thief] = [await handle('ES256'), await handle('ES256')]
  const push = (asked) =>
    withNonce(async () => {
      const response = await oauth.pushedAuthorizationRequest(as, client, oauth.None(), asked, { DPoP: key, ...insecure })
      return (await oauth.processPushedAuthorizationResponse(as, client, response)).request_uri
    })
  const authorized = await authorize(as, push)
  await assert.rejects(redeem(as, authorized, thief), { error: 'invalid_grant', status: 400 })
  assert.equal((await redeem(as, authorized, key)).token_type, 'dpop')
})

test('a client without a key gets bearer tokens from the same server', async (t) => {
  const as = await discover(await startIdentity(t))
  const tokens = await redeem(as, await authorize(as), undefined)
  assert.equal(tokens.token_type, 'bearer')
  assert.equal((await call(as, '/me', tokens.access_token, undefined)).status, 200)
  await assert.rejects(call(as, '/me', 'not.a.token', undefined), (thrown) => {
    assert.deepEqual(thrown.cause.map((challenge) => challenge.scheme), ['bearer', 'dpop'])
    return true
  })
})

test('openid-client binds its tokens by itself', async (t) => {
  const issuer = await startIdentity(t)
  const execute = [openid.allowInsecureRequests]
  const config = await openid.discovery(new URL(issuer), 'demo', undefined, openid.None(), { execute })
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState()
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid profile',
    state: expectedState,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  const location = await signIn(url, 'alice', 'alice123')
  const tokens = await openid.authorizationCodeGrant(config, location, { pkceCodeVerifier, expectedState }, undefined, { DPoP })
  assert.equal(tokens.token_type, 'dpop')
  const me = await openid.fetchProtectedResource(config, tokens.access_token, new URL('/me', issuer), 'GET', undefined, undefined, { DPoP })
  assert.equal((await me.json()).user.sub, 'alice')
  assert.equal((await openid.fetchUserInfo(config, tokens.access_token, 'alice', { DPoP })).name, 'Alice Archer')
  const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  assert.equal(renewed.token_type, 'dpop')
})
