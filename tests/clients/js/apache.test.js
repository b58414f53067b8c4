// Apache with mod_auth_openidc, as Debian has it, before a page: it signs a person in and says who it is.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { Person, signIn, startIdentity } from './quickstart.js'

const MODULES = '/usr/lib/apache2/modules'
const SECRET = 'a secret of an example, which everyone knows'

const configuration = (folder, port, issuer) => `
ServerRoot ${folder}
PidFile ${folder}/pid
Listen 127.0.0.1:${port}
ServerName 127.0.0.1:${port}
ErrorLog ${folder}/error.log
LoadModule mpm_event_module ${MODULES}/mod_mpm_event.so
LoadModule authn_core_module ${MODULES}/mod_authn_core.so
LoadModule authz_core_module ${MODULES}/mod_authz_core.so
LoadModule authz_user_module ${MODULES}/mod_authz_user.so
LoadModule dir_module ${MODULES}/mod_dir.so
LoadModule auth_openidc_module ${MODULES}/mod_auth_openidc.so
User nobody
Group nogroup
DocumentRoot ${folder}/pages
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID backend
OIDCClientSecret "${SECRET}"
OIDCRedirectURI http://127.0.0.1:${port}/callback
OIDCPKCEMethod S256
OIDCScope "openid profile email"
OIDCCryptoPassphrase "a passphrase of a test"
OIDCCacheShmMax 100
<Location />
  AuthType openid-connect
  Require claim email:alice@example.com
</Location>
`

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

async function startApache(t, issuer, port) {
  assert.ok(existsSync(`${MODULES}/mod_auth_openidc.so`), 'install the packages apache2 and libapache2-mod-auth-openidc')
  const folder = mkdtempSync(join(tmpdir(), 'apache-'))
  spawnSync('mkdir', ['-p', `${folder}/pages`])
  writeFileSync(`${folder}/pages/index.html`, 'behind mod_auth_openidc')
  spawnSync('chmod', ['-R', 'a+rX', folder])
  writeFileSync(`${folder}/apache.conf`, configuration(folder, port, issuer))
  const apache = spawn('/usr/sbin/apache2', ['-f', `${folder}/apache.conf`, '-DFOREGROUND'], { stdio: 'inherit' })
  const ended = once(apache, 'exit')
  t.after(async () => {
    apache.kill()
    await ended
    rmSync(folder, { recursive: true })
  })
  const origin = `http://127.0.0.1:${port}`
  for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
    assert.equal(apache.exitCode, null, 'Apache ended')
    try {
      await fetch(origin, { redirect: 'manual' })
      return origin
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

const cookieOf = ({ headers }) => (headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ')

/** As a browser goes to a page. `fetch` says of itself that it does not, and is not sent to sign in. */
async function open(url, cookie) {
  const request = get(url, { headers: { accept: 'text/html', ...(cookie && { cookie }) } })
  const [response] = await once(request, 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return { status: response.statusCode, headers: response.headers, body }
}

/** To the page, by way of the sign-in. */
async function visit(origin, username, person) {
  const begun = await open(origin)
  assert.equal(begun.status, 302, begun.body)
  const answer = await signIn(new URL(begun.headers.location), username, `${username}123`, person)
  const back = await open(answer, cookieOf(begun))
  assert.equal(back.status, 302, back.body)
  return { cookie: cookieOf(back), ...(await open(new URL(back.headers.location, origin), cookieOf(back))) }
}

test('mod_auth_openidc signs a person in, and admits whom the claims of userinfo name', async (t) => {
  const origin = await startApache(t, await startIdentity(t), await freePort())
  const page = await visit(origin, 'alice')
  assert.equal(page.body, 'behind mod_auth_openidc')
  assert.equal((await visit(origin, 'bob')).status, 401)
})

test('a sign-out ends the session that mod_auth_openidc has, which learns of it by the back channel', async (t) => {
  const port = await freePort()
  const told = `http://127.0.0.1:${port}/callback?logout=backchannel`
  const issuer = await startIdentity(t, { BACKEND_LOGOUT_URI: told })
  const origin = await startApache(t, issuer, port)
  const [person, other] = [new Person(), new Person()]
  const { body, cookie } = await visit(origin, 'alice', person)
  const { cookie: ofOther } = await visit(origin, 'alice', other)
  assert.equal(body, 'behind mod_auth_openidc')
  assert.equal((await open(origin, cookie)).status, 200)
  const page = await person.submit(await person.open(`${issuer}/logout`), { decision: 'sign_out' })
  assert.equal(page.answer.status, 200, page.html)
  for (const deadline = Date.now() + 30_000; (await open(origin, cookie)).status !== 302; await sleep(50)) {
    assert.ok(Date.now() < deadline, 'it was not told')
  }
  assert.equal((await open(origin, ofOther)).status, 200, 'the session of another browser goes on')
})
