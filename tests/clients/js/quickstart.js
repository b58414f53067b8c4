// The examples as servers of the test's own, and a person who signs in to them.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const binaryOf = (name) =>
  process.env[`${name.toUpperCase()}_BIN`] ??
  fileURLToPath(new URL(`../../../target/debug/${name === 'key_periods' ? '' : 'examples/'}${name}`, import.meta.url))
const START_MS = 30_000

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

export const startQuickstart = (test) => start(test, 'quickstart')
export const startIdentity = (test) => start(test, 'identity')
/** A service whose clock a request moves. */
export const startKeyPeriods = (test) => start(test, 'key_periods')
export const startResourceServer = (test, issuer, audience) =>
  start(test, 'resource_server', { ISSUER: issuer, AUDIENCE: audience })

/** Starts an example, waits until it answers, and ends it after the test. */
async function start(test, name, environment = {}) {
  const binary = binaryOf(name)
  assert.ok(existsSync(binary), `${binary} is missing: run \`cargo build --examples\`, or set ${name.toUpperCase()}_BIN`)
  const issuer = `http://127.0.0.1:${await freePort()}`
  const child = spawn(binary, { env: { ...process.env, PORT: new URL(issuer).port, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (log += text))
  }
  const ended = once(child, 'exit')
  const end = () => child.kill()
  process.once('exit', end)
  test.after(async () => {
    process.off('exit', end)
    child.kill()
    await ended
  })

  for (const deadline = Date.now() + START_MS; ; await sleep(50)) {
    assert.equal(child.exitCode, null, `the ${name} ended:\n${log}`)
    try {
      await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).arrayBuffer()
      return issuer
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`the ${name} did not answer:\n${log}`, { cause: error })
    }
  }
}

const unescape = (text) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(amp|lt|gt|quot|apos));/gi, (_, decimal, hex, name) =>
    name
      ? { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[name.toLowerCase()]
      : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16)),
  )

function attributes(tag) {
  const found = {}
  for (const [, name, double, single, bare] of tag.matchAll(/([\w-]+)(?:=(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)) {
    found[name.toLowerCase()] = unescape(double ?? single ?? bare ?? '')
  }
  return found
}

/** Opens the client's link, fills in the form, and returns the address that the browser is sent back to. */
export async function signIn(url, username, password) {
  const page = await fetch(url, { redirect: 'manual' })
  const html = await page.text()
  assert.equal(page.status, 200, html)
  const cookie = page.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')

  const form = attributes(html.match(/<form\s([^>]*)>/i)?.[1] ?? assert.fail(`no form in ${html}`))
  assert.equal(form.method?.toLowerCase(), 'post')
  const fields = new URLSearchParams()
  for (const [, tag] of html.matchAll(/<input\s([^>]*)>/gi)) {
    const { name, value } = attributes(tag)
    if (name) fields.set(name, value ?? '')
  }
  for (const name of ['request', 'username', 'password']) assert.ok(fields.has(name), `no field ${name}`)
  fields.set('username', username)
  fields.set('password', password)

  const action = new URL(form.action, url)
  const answer = await fetch(action, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin: action.origin },
    body: fields,
  })
  assert.equal(answer.status, 303, await answer.text())
  return new URL(answer.headers.get('location'))
}
