// jose, which keeps the published keys of a service, as the verifier of another server.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as jose from 'jose'

import { startKeyPeriods } from './quickstart.js'

const PERIOD = 30 * 24 * 3600
const SECRET = '6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM='
const AUDIENCE = 'https://files.example'

test('keys that were fetched once verify what the next 30 days sign', async (t) => {
  const issuer = await startKeyPeriods(t)
  let fetched = 0
  const counted = (url, options) => {
    fetched += 1
    return fetch(url, options)
  }
  const { jwks_uri } = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()
  const keys = jose.createRemoteJWKSet(new URL(jwks_uri), { [jose.customFetch]: counted })

  const advance = async (seconds) => Number(await (await fetch(`${issuer}/advance/${seconds}`, { method: 'POST' })).text())
  const signed = async () => {
    const authorization = `Basic ${btoa(`job:${encodeURIComponent(SECRET)}`)}`
    const body = new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE })
    const answer = await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body })
    return (await answer.json()).access_token
  }
  const kid = async (token, now) => {
    const rules = { issuer, audience: AUDIENCE, typ: 'at+jwt', algorithms: ['ES256'], currentDate: new Date(now * 1000) }
    return (await jose.jwtVerify(token, keys, rules)).protectedHeader.kid
  }

  const now = await advance(1)
  const last = await advance(PERIOD - (now % PERIOD) - 1)
  const old = await signed()
  const first = await kid(old, last)
  const next = await advance(1)
  const second = await kid(await signed(), next)
  assert.notEqual(second, first)
  assert.equal(await kid(old, next), first)
  assert.equal(fetched, 1)
})
