// oauth4webapi, which checks every answer of the server strictly, drives the whole flow.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { webcrypto } from 'node:crypto'

import * as oauth from 'oauth4webapi'

import { signIn, startQuickstart } from './quickstart.js'

globalThis.crypto ??= webcrypto // Node.js 18 has it under this name only

const insecure = { [oauth.allowInsecureRequests]: true } // plain http, on loopback
const client = { client_id: 'demo' }
const redirectUri = 'http://127.0.0.1:49152/callback'

async function discover(issuer) {
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure })
  return oauth.processDiscoveryResponse(new URL(issuer), response)
}

/** Signs in and returns what the library has checked, ready for the token endpoint. */
async function authorize(as, username, password) {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const location = await signIn(url, username, password)
  assert.equal(location.origin + location.pathname, redirectUri)
  return { verifier, state, location, parameters: oauth.validateAuthResponse(as, client, location, state) }
}

async function redeem(as, { parameters, verifier }) {
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    oauth.None(),
    parameters,
    redirectUri,
    verifier,
    insecure,
  )
  assert.equal(response.headers.get('cache-control'), 'no-store')
  return oauth.processAuthorizationCodeResponse(as, client, response)
}

const get = (as, path, token) =>
  oauth.protectedResourceRequest(token, 'GET', new URL(path, as.issuer), undefined, undefined, insecure)

async function refusedResource(as, path, token, status, error) {
  await assert.rejects(get(as, path, token), (thrown) => {
    assert.ok(thrown instanceof oauth.WWWAuthenticateChallengeError, String(thrown))
    assert.equal(thrown.status, status)
    assert.equal(thrown.cause[0].scheme, 'bearer')
    assert.equal(thrown.cause[0].parameters.error, error)
    return true
  })
}

const invalidGrant = (thrown) => {
  assert.ok(thrown instanceof oauth.ResponseBodyError, String(thrown))
  assert.equal(thrown.status, 400)
  assert.equal(thrown.error, 'invalid_grant')
  return true
}

test('the metadata says what the server does', async (t) => {
  const issuer = await startQuickstart(t)
  const as = await discover(issuer)
  assert.equal(as.issuer, issuer)
  assert.deepEqual(as.response_types_supported, ['code'])
  assert.deepEqual(as.code_challenge_methods_supported, ['S256'])
  assert.equal(as.authorization_response_iss_parameter_supported, true)
  assert.ok(as.token_endpoint_auth_methods_supported.includes('none'))
})

test('a person signs in and the client reads what the token allows', async (t) => {
  const as = await discover(await startQuickstart(t))
  const token = await redeem(as, await authorize(as, 'user', 'user123'))
  assert.equal(token.token_type, 'bearer')
  assert.equal(token.expires_in, 3600)
  assert.equal(token.refresh_token, undefined)

  const me = await get(as, '/me', token.access_token)
  assert.equal(me.status, 200)
  assert.equal((await me.json()).role, 'user')
  assert.equal((await get(as, '/user', token.access_token)).status, 200)
  await refusedResource(as, '/admin', token.access_token, 403, 'insufficient_scope')
  await refusedResource(as, '/me', 'not.a.token', 401, 'invalid_token')
})

test('the admin is let in where the user is not', async (t) => {
  const as = await discover(await startQuickstart(t))
  const { access_token } = await redeem(as, await authorize(as, 'admin', 'admin123'))
  const admin = await get(as, '/admin', access_token)
  assert.equal(admin.status, 200)
  assert.match(await admin.text(), /Admin access granted!/)
})

test('an answer from another issuer, or to another request, is noticed', async (t) => {
  const as = await discover(await startQuickstart(t))
  const { location, state } = await authorize(as, 'user', 'user123')
  assert.equal(location.searchParams.get('iss'), as.issuer)

  const foreign = new URL(location)
  foreign.searchParams.set('iss', 'https://attacker.example')
  assert.throws(() => oauth.validateAuthResponse(as, client, foreign, state), oauth.OperationProcessingError)
  const silent = new URL(location)
  silent.searchParams.delete('iss')
  assert.throws(() => oauth.validateAuthResponse(as, client, silent, state), oauth.OperationProcessingError)
  assert.throws(
    () => oauth.validateAuthResponse(as, client, location, oauth.generateRandomState()),
    oauth.OperationProcessingError,
  )
})

test('an error comes back as a redirect that the library accepts', async (t) => {
  const as = await discover(await startQuickstart(t))
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    state, // and no code_challenge
  })
  const answer = await fetch(url, { redirect: 'manual' })
  assert.ok([302, 303].includes(answer.status), `${answer.status} ${await answer.text()}`)
  assert.throws(
    () => oauth.validateAuthResponse(as, client, new URL(answer.headers.get('location')), state),
    (thrown) => {
      assert.ok(thrown instanceof oauth.AuthorizationResponseError, String(thrown))
      assert.equal(thrown.error, 'invalid_request')
      return true
    },
  )
})

test('a request that is pushed is answered with one code', async (t) => {
  const as = await discover(await startQuickstart(t))
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const asked = new URLSearchParams({
    response_type: 'code',
    redirect_uri: redirectUri,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const push = async (parameters) => {
    const response = await oauth.pushedAuthorizationRequest(as, client, oauth.None(), parameters, insecure)
    return oauth.processPushedAuthorizationResponse(as, client, response)
  }
  const pushed = await push(asked)
  assert.equal(pushed.expires_in, 60)
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri })
  const location = await signIn(url, 'admin', 'admin123')
  assert.equal(location.origin + location.pathname, redirectUri)
  const parameters = oauth.validateAuthResponse(as, client, location, state)
  assert.ok((await redeem(as, { parameters, verifier })).access_token)
  assert.equal((await fetch(url, { redirect: 'manual' })).status, 400)

  asked.set('redirect_uri', 'https://evil.example/')
  await assert.rejects(push(asked), (thrown) => {
    assert.ok(thrown instanceof oauth.ResponseBodyError, String(thrown))
    assert.equal(thrown.error, 'invalid_request')
    return true
  })
})

test('a wrong verifier is refused and changes nothing', async (t) => {
  const as = await discover(await startQuickstart(t))
  const authorized = await authorize(as, 'user', 'user123')
  await assert.rejects(redeem(as, { ...authorized, verifier: oauth.generateRandomCodeVerifier() }), invalidGrant)
  const { access_token } = await redeem(as, authorized)
  assert.equal((await get(as, '/me', access_token)).status, 200)
})

test('a replayed code is refused and the first token dies', async (t) => {
  const as = await discover(await startQuickstart(t))
  const authorized = await authorize(as, 'user', 'user123')
  const { access_token } = await redeem(as, authorized)
  assert.equal((await get(as, '/me', access_token)).status, 200)
  await assert.rejects(redeem(as, authorized), invalidGrant)
  await refusedResource(as, '/me', access_token, 401, 'invalid_token')
})
