// openid-client, which checks ID tokens and every answer of the server, as an OpenID Connect client.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as client from 'openid-client'

import { signIn, startIdentity } from './quickstart.js'

const redirectUri = 'http://127.0.0.1:49152/callback'
const insecure = { execute: [client.allowInsecureRequests] } // plain http, on loopback

async function signedIn(issuer, username, parameters = {}) {
  const config = await client.discovery(new URL(issuer), 'demo', undefined, client.None(), insecure)
  const [verifier, nonce, state] = [client.randomPKCECodeVerifier(), client.randomNonce(), client.randomState()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce,
    state,
    ...parameters,
  })
  const location = await signIn(url, username, `${username}123`)
  const tokens = await client.authorizationCodeGrant(config, location, {
    pkceCodeVerifier: verifier,
    expectedNonce: nonce,
    expectedState: state,
    idTokenExpected: true,
    maxAge: 60,
  })
  return { config, tokens }
}

test('sign-in, ID token and userinfo', async (t) => {
  const { config, tokens } = await signedIn(await startIdentity(t), 'alice', { max_age: '60' })
  const { sub } = tokens.claims()
  assert.equal(sub, 'alice')
  const user = await client.fetchUserInfo(config, tokens.access_token, sub)
  assert.deepEqual(user, { sub: 'alice', name: 'Alice Archer' })
  await assert.rejects(client.fetchUserInfo(config, tokens.access_token, 'bob'))
})

test('a refresh rotates, and a revocation ends it', async (t) => {
  const issuer = await startIdentity(t)
  const { config, tokens } = await signedIn(issuer, 'bob')
  const next = await client.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(next.refresh_token, tokens.refresh_token)
  assert.equal(next.claims().sub, 'bob')
  const me = (token) => client.fetchProtectedResource(config, token, new URL('/me', issuer), 'GET')
  assert.equal((await (await me(next.access_token)).json()).user.email, 'bob@example.com')

  await client.tokenRevocation(config, next.refresh_token)
  await assert.rejects(me(next.access_token), (thrown) => thrown.status === 401)
  await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), { error: 'invalid_grant' })
})

test('a sign-out ends what the session gave, and leads back to the client', async (t) => {
  const issuer = await startIdentity(t)
  const { config, tokens } = await signedIn(issuer, 'alice')
  const url = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: `${issuer}/`,
    state: 'bye',
  })
  const answer = await fetch(url, { redirect: 'manual' })
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, `${issuer}/?state=bye`])
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' })
  await assert.rejects(client.fetchUserInfo(config, tokens.access_token, 'alice'), (thrown) => thrown.status === 401)
})

test('a token for another server is of no use here', async (t) => {
  const issuer = await startIdentity(t)
  const { config, tokens } = await signedIn(issuer, 'alice', { resource: 'https://files.example' })
  const url = new URL('/me', issuer)
  await assert.rejects(client.fetchProtectedResource(config, tokens.access_token, url, 'GET'), (thrown) => thrown.status === 401)
})

test('a confidential client in its own name', async (t) => {
  const issuer = await startIdentity(t)
  const secret = 'a secret of an example, which everyone knows'
  for (const proof of [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)]) {
    const config = await client.discovery(new URL(issuer), 'backend', undefined, proof, insecure)
    const tokens = await client.clientCredentialsGrant(config, { scope: 'reports:read' })
    const about = await client.tokenIntrospection(config, tokens.access_token)
    assert.deepEqual([about.active, about.scope, about.client_id], [true, 'reports:read', 'backend'])
  }
})
