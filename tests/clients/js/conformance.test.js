// The conformance package of the Model Context Protocol: its scenarios for authorization servers, unmodified, by a client that
// registered itself with the MCP server of the examples.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { freePort, signInAndAllow, startMcp } from './quickstart.js'

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url))
const SCENARIOS = ['authorization-server-metadata-endpoint', 'authorization-code-grant']

test('the authorization scenarios of the conformance package pass', async (t) => {
  const issuer = await startMcp(t)
  const port = await freePort()
  const registered = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      redirect_uris: [`http://127.0.0.1:${port}/callback`],
      token_endpoint_auth_method: 'none',
    }),
  })
  const { client_id: client } = await registered.json()

  const suite = [fileOf('node_modules/@modelcontextprotocol/conformance/dist/index.js'), 'authorization']
  const options = ['--url', issuer, '--client-id', client, '--resource', `${issuer}/mcp`, '--port', String(port)]
  const child = spawn(process.execPath, ['--import', fileOf('fs_of_node_22.js'), ...suite, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill())

  // It says where a person has to go with a browser, and waits for them to come back.
  let told = ''
  let signedIn
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      told += text
      const url = told.match(/^(http:\S+\/authorize\?\S+)\n/m)?.[1]
      if (url && !signedIn) signedIn = signInAndAllow(url, 'ada', 'ada123').then(({ answer }) => fetch(answer))
    })
  }
  const [status] = await once(child, 'exit')
  assert.equal((await signedIn)?.status, 200, told)
  assert.equal(status, 0, told)
  // How many there are of a scenario depends on what the server offers: client documents with the feature `mcp`.
  for (const scenario of SCENARIOS) assert.match(told, new RegExp(`✓ ${scenario}: [1-9] passed, 0 failed`))
})
