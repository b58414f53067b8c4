// oauth4webapi and openid-client as a device without a browser (RFC 8628).

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

import { decideOnDevice, startIdentity } from './quickstart.js'

const insecure = { [oauth.allowInsecureRequests]: true } // plain http, on loopback
const client = { client_id: 'cli' }

async function asks(issuer, scope) {
  const response = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oidc', ...insecure })
  const as = await oauth.processDiscoveryResponse(new URL(issuer), response)
  const asked = await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope }, insecure)
  return { as, device: await oauth.processDeviceAuthorizationResponse(as, client, asked) }
}

async function polls(as, device) {
  const response = await oauth.deviceCodeGrantRequest(as, client, oauth.None(), device.device_code, insecure)
  return oauth.processDeviceCodeResponse(as, client, response)
}

const decided = (device, decision) =>
  decideOnDevice(device.verification_uri_complete, device.user_code, 'alice', 'alice123', decision)

test('oauth4webapi waits, and gets its tokens', async (t) => {
  const issuer = await startIdentity(t)
  const { as, device } = await asks(issuer, 'openid profile')
  assert.equal(device.verification_uri, `${issuer}/device`)
  assert.deepEqual([device.expires_in, device.interval], [600, 5])
  await assert.rejects(polls(as, device), { error: 'authorization_pending', status: 400 })
  await assert.rejects(polls(as, device), { error: 'slow_down', status: 400 })
  await decided(device, 'allow')
  const tokens = await polls(as, device)
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, 'alice')
  const next = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, insecure)
  const renewed = await oauth.processRefreshTokenResponse(as, client, next)
  const me = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${renewed.access_token}` } })
  assert.equal((await me.json()).client, 'cli')
})

test('oauth4webapi learns that it was denied', async (t) => {
  const { as, device } = await asks(await startIdentity(t), 'profile')
  await decided(device, 'deny')
  await assert.rejects(polls(as, device), { error: 'access_denied', status: 400 })
  const forged = { ...device, device_code: `${device.device_code}x` }
  await assert.rejects(polls(as, forged), { error: 'invalid_grant', status: 400 })
})

test('openid-client waits by itself until its user has decided', async (t) => {
  const issuer = await startIdentity(t)
  const execute = [openid.allowInsecureRequests]
  const config = await openid.discovery(new URL(issuer), 'cli', undefined, openid.None(), { execute })
  const device = await openid.initiateDeviceAuthorization(config, { scope: 'openid profile' })
  const waits = openid.pollDeviceAuthorizationGrant(config, device)
  await decided(device, 'allow')
  const tokens = await waits
  assert.equal(tokens.claims().sub, 'alice')
  assert.equal((await openid.fetchUserInfo(config, tokens.access_token, 'alice')).name, 'Alice Archer')
})
