// Guards over the tokens of an authorization server that others wrote (oidc-provider), and of the identity example.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import * as client from 'openid-client'
import { startIdentity, startResourceServer } from './quickstart.js'

const AUDIENCE = 'https://files.example'

/** An oidc-provider on a free port whose clients get JWTs for one resource. */
async function startProvider(test) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  test.after(() => server.close())
  const issuer = `http://127.0.0.1:${server.address().port}`
  const { default: Provider } = await import('oidc-provider')
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'job', client_secret: 'a secret of the tests, and long enough', grant_types: ['client_credentials'],
        redirect_uris: [], response_types: [],
      },
    ],
    scopes: ['notes:read', 'notes:write'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: (_, resource) => ({
          scope: 'notes:read notes:write', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  server.on('request', provider.callback())
  return issuer
}

const ask = async (api, path, token) => {
  const answer = await fetch(api + path, token ? { headers: { authorization: `Bearer ${token}` } } : {})
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: await answer.text() }
}

async function inItsOwnName(issuer, id, secret, parameters) {
  const options = { execute: [client.allowInsecureRequests] }
  const config = await client.discovery(new URL(issuer), id, undefined, client.ClientSecretBasic(secret), options)
  return (await client.clientCredentialsGrant(config, parameters)).access_token
}

test('the guards take the tokens of oidc-provider', async (t) => {
  const issuer = await startProvider(t)
  const api = await startResourceServer(t, issuer, AUDIENCE)
  const token = (parameters) => inItsOwnName(issuer, 'job', 'a secret of the tests, and long enough', parameters)
  const reader = await token({ resource: AUDIENCE, scope: 'notes:read' })
  assert.equal((await ask(api, '/notes', reader)).body, 'Buy milk.')
  const me = JSON.parse((await ask(api, '/me', reader)).body)
  assert.deepEqual(me, { sub: 'job', client: 'job', scope: 'notes:read' })

  const writer = await ask(api, '/notes', await token({ resource: AUDIENCE, scope: 'notes:write' }))
  assert.equal(writer.status, 403)
  assert.match(writer.challenge, /error="insufficient_scope"/)
  const elsewhere = await ask(api, '/notes', await token({ resource: 'https://mail.example', scope: 'notes:read' }))
  assert.equal(elsewhere.status, 401)
  assert.match(elsewhere.challenge, /error="invalid_token"/)
  const nobody = await ask(api, '/notes')
  assert.equal(nobody.status, 401)
  assert.match(nobody.challenge, /resource_metadata="https:\/\/files.example\/.well-known\/oauth-protected-resource"/)
})

test('the guards take the tokens of the identity example, and of no other issuer', async (t) => {
  const issuer = await startIdentity(t)
  const api = await startResourceServer(t, issuer, AUDIENCE)
  const token = (parameters) => inItsOwnName(issuer, 'backend', 'a secret of an example, which everyone knows', parameters)
  assert.equal((await ask(api, '/me', await token({ resource: AUDIENCE }))).status, 200)
  assert.equal((await ask(api, '/notes', await token({ resource: AUDIENCE }))).status, 403)
  assert.equal((await ask(api, '/me', await token({}))).status, 401, 'for the issuer itself')
  const stranger = await startProvider(t)
  const theirs = await inItsOwnName(stranger, 'job', 'a secret of the tests, and long enough', { resource: AUDIENCE })
  assert.equal((await ask(api, '/me', theirs)).status, 401)
})
