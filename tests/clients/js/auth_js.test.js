// Auth.js, as a web framework calls it: requests in, responses out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { webcrypto } from 'node:crypto'

import { Auth } from '@auth/core'

import { signIn, startIdentity } from './quickstart.js'

globalThis.crypto ??= webcrypto // Node.js 18 has it under this name only

// An application that does not run: the client's redirect URI is a port of loopback's.
const ORIGIN = 'http://127.0.0.1:49153'

function application(issuer) {
  const provider = {
    id: 'identity',
    name: 'Identity',
    type: 'oidc',
    issuer,
    clientId: 'demo',
    client: { token_endpoint_auth_method: 'none', id_token_signed_response_alg: 'ES256' },
    authorization: { params: { scope: 'openid profile email' } },
    checks: ['pkce', 'state', 'nonce'],
  }
  const config = { basePath: '/auth', secret: 'of a test', trustHost: true, providers: [provider] }
  const cookies = new Map()
  return async (path, options = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const request = new Request(`${ORIGIN}${path}`, { ...options, headers: { ...options.headers, cookie } })
    const response = await Auth(request, config)
    for (const line of response.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=')
      cookies.set(name, value.join('='))
    }
    return response
  }
}

test('Auth.js signs a person in', async (t) => {
  const call = application(await startIdentity(t))
  const { csrfToken } = await (await call('/auth/csrf')).json()
  const begun = await call('/auth/signin/identity', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrfToken, callbackUrl: ORIGIN }),
  })
  assert.equal(begun.status, 302, await begun.text())
  const answer = await signIn(new URL(begun.headers.get('location')), 'alice', 'alice123')
  const back = await call(answer.pathname + answer.search)
  assert.equal(back.headers.get('location'), ORIGIN)
  const session = await (await call('/auth/session')).json()
  assert.deepEqual([session.user.name, session.user.email], ['Alice Archer', 'alice@example.com'])
})
