// The page on single-page applications: its service and its code, on two origins of one site, each behind TLS.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, open, startSpaOfTheGuide } from './quickstart.js'

const resolve = createRequire(import.meta.url).resolve
const oidc = resolve('oidc-client-ts').replace('/umd/', '/esm/')
const FILES = {
  '/app.js': new URL('../how_to/shown/client_spa.js', import.meta.url),
  '/oidc-client-ts.js': oidc,
  '/jwt-decode.js': createRequire(oidc).resolve('jwt-decode').replace('/cjs/', '/esm/'),
}
// What a bundler does, an import map does here: the code is that of the page.
const INDEX = `<!doctype html><title>Notes</title>
<script type="importmap">{"imports":{"oidc-client-ts":"/oidc-client-ts.js","jwt-decode":"/jwt-decode.js"}}</script>
<p id="user"></p>
<script type="module">
import { start } from '/app.js'
const user = await start()
document.getElementById('user').textContent = user ? user.profile.sub : 'no one'
</script>`

let service
let servers
let browser
before(async () => {
  service = await startSpaOfTheGuide()
  const tls = certificate()
  servers = [createServer(tls, pass(service.origin)), createServer(tls, files)]
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  const [issuer, app] = servers.map((server) => server.address().port)
  browser = await launch([
    `--host-resolver-rules=MAP notes.example:443 127.0.0.1:${issuer}, MAP app.notes.example:443 127.0.0.1:${app}, MAP other.notes.example:443 127.0.0.1:${app}`,
  ])
})
after(async () => {
  await browser?.close()
  for (const server of servers ?? []) server.close().closeAllConnections()
  service?.close()
})

function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'oauth-spa-'))
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const names = 'subjectAltName=DNS:notes.example,DNS:*.notes.example'
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
    '-subj', '/CN=notes.example', '-addext', names], { stdio: 'ignore' })
  const made = { key: readFileSync(key), cert: readFileSync(cert) }
  rmSync(folder, { recursive: true })
  return made
}

/** What nginx does: the service gets the request as it came, and the address that it came from. */
const pass = (origin) => (from, to) => {
  const headers = { ...from.headers, 'x-forwarded-for': from.socket.remoteAddress }
  const asked = request(origin + from.url, { method: from.method, headers }, (answer) => {
    to.writeHead(answer.statusCode, answer.headers)
    answer.pipe(to)
  })
  from.pipe(asked)
}

/** That of the guide, with what stands in the page itself here. */
const inline = [...INDEX.matchAll(/<script[^>]*>([^]*?)<\/script>/g)]
  .map(([, text]) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
const guide = readFileSync(new URL('../../oauth-runtime/docs/client-spa.md', import.meta.url), 'utf8')
const POLICY = guide.match(/Content-Security-Policy "([^"]+)"/)[1].replace("script-src 'self'", `script-src 'self' ${inline.join(' ')}`)

function files(from, to) {
  const path = new URL(from.url, 'https://app.notes.example').pathname
  const script = FILES[path]
  to.setHeader('content-security-policy', POLICY)
  to.setHeader('content-type', script ? 'text/javascript' : 'text/html').end(script ? readFileSync(script) : INDEX)
}

const APP = 'https://app.notes.example'

const user = async (page) => {
  await page.waitForFunction(() => document.getElementById('user')?.textContent)
  return page.locator('#user').textContent()
}
const inApp = (page, name) => page.evaluate(async (name) => (await import('/app.js'))[name](), name)
/** What a page does that leads away from it. */
const leave = (page, name) => page.evaluate((name) => void import('/app.js').then((app) => app[name]()), name)

async function signIn(page) {
  await page.goto(`${APP}/`)
  assert.equal(await user(page), 'no one')
  await Promise.all([page.waitForURL('https://notes.example/authorize?**'), leave(page, 'signIn')])
  await page.getByLabel('Username').fill('ada')
  await page.getByLabel('Password').fill('ada123')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`${APP}/`)
  assert.equal(await user(page), 'ada')
}

const accessToken = (page) =>
  page.evaluate(async () => (await (await import('/app.js')).manager.getUser())?.access_token)

test('the single-page application of the guide signs in, stays signed in over a reload, and keeps no token in a storage', async () => {
  const { page, seen, close } = await open(browser, { ignoreHTTPSErrors: true })
  await signIn(page)
  assert.deepEqual(await inApp(page, 'notes'), { of: 'ada' })
  const first = await accessToken(page)

  const kept = async () =>
    JSON.stringify([...(await page.evaluate(() => [{ ...localStorage }, { ...sessionStorage }])), await page.context().cookies(APP)])
  for (const part of [first, first.split('.')[2], 'refresh_token', 'access_token']) {
    assert.ok(!(await kept()).includes(part), await kept())
  }
  const exchanges = seen.requests.filter((request) => request.url() === 'https://notes.example/token' && request.method() === 'POST')
  const issued = await (await exchanges[0].response()).json()
  assert.deepEqual([typeof issued.access_token, issued.refresh_token], ['string', undefined])

  await page.reload()
  assert.equal(await user(page), 'ada', 'the session answers, and no one is asked')
  const second = await accessToken(page)
  assert.notEqual(second, first)
  assert.deepEqual(await inApp(page, 'notes'), { of: 'ada' })
  await page.evaluate(async () => void (await (await import('/app.js')).manager.signinSilent()))
  assert.notEqual(await accessToken(page), second, 'renewed in a hidden frame')
  assert.deepEqual(seen.console.filter((line) => /CORS|Content Security Policy|Error/.test(line)), [])
  await close()
})

test('the single-page application of the guide signs out, and its token has ended', async () => {
  const { page, seen, close } = await open(browser, { ignoreHTTPSErrors: true })
  await signIn(page)
  const token = await accessToken(page)
  await leave(page, 'signOut')
  await page.waitForFunction(() => document.getElementById('user')?.textContent === 'no one')
  assert.equal(new URL(page.url()).origin, APP)
  const status = await page.evaluate(
    async (token) => (await fetch('https://notes.example/api/notes', { headers: { authorization: `Bearer ${token}` } })).status,
    token,
  )
  assert.equal(status, 401)
  assert.ok(seen.requests.every((request) => !request.url().includes('access_token=')))
  await close()
})

test('an API that goes on refusing sends the user round once, and without a token none is sent', async () => {
  const { page, seen, close } = await open(browser, { ignoreHTTPSErrors: true })
  await signIn(page)
  await page.reload()
  assert.equal(await user(page), 'ada')
  await page.route('https://notes.example/api/notes', (route) =>
    route.fulfill({ status: 401, json: { error_description: 'refused for good' }, headers: { 'access-control-allow-origin': APP } }))
  await Promise.all([page.waitForRequest(/\/callback\?/), leave(page, 'notes')])
  await page.waitForURL(`${APP}/`)
  assert.equal(await user(page), 'ada')
  await assert.rejects(inApp(page, 'notes'), /refused for good/)
  assert.equal(new URL(page.url()).origin, APP)

  await page.evaluate(async () => (await import('/app.js')).manager.removeUser())
  const calls = () => seen.requests.filter((request) => request.url().includes('/api/notes')).length
  const before = calls()
  await Promise.all([page.waitForRequest(/\/callback\?/), leave(page, 'notes')])
  await page.waitForURL(`${APP}/`)
  assert.equal(calls(), before)
  await close()
})

test('what goes wrong with a single-page application says so', async () => {
  const { page, seen, close } = await open(browser, { ignoreHTTPSErrors: true })
  // Of an origin that is not registered: neither its redirect nor its requests.
  await page.goto('https://other.notes.example/')
  await page.waitForFunction(() => document.getElementById('user'))
  await Promise.all([page.waitForURL('https://notes.example/authorize?**'), leave(page, 'signIn')])
  assert.match(await page.locator('main').textContent(), /this redirect_uri is not registered for the client/)
  await page.goto('https://other.notes.example/')
  const blocked = await page.evaluate(() =>
    fetch('https://notes.example/token', { method: 'POST', body: new URLSearchParams() }).then(() => 'answered', (why) => why.message),
  )
  assert.equal(blocked, 'Failed to fetch')
  assert.ok(seen.console.some((line) => line.includes('blocked by CORS policy')), seen.console.join('\n'))
  await close()
})
