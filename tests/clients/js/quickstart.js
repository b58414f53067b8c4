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

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

export const startQuickstart = (test) => start(test, 'quickstart')
export const startMcp = (test) => start(test, 'mcp')
export const startIdentity = (test, environment) => start(test, 'identity', environment)
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

/** A browser with its cookies, and a person who fills in forms. */
export class Person {
  #cookies = new Map()

  async #fetch(url, options = {}) {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ')
    const answer = await fetch(url, { ...options, redirect: 'manual', headers: { cookie, ...options.headers } })
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split(/=(.*)/s)
      this.#cookies.set(name, value)
    }
    return { url, answer, html: await answer.text() }
  }

  async open(url) {
    const page = await this.#fetch(url)
    assert.equal(page.answer.status, 200, page.html)
    return page
  }

  /** Fills the first form of a page in, and sends it. */
  async submit({ url, html }, typed) {
    const form = attributes(html.match(/<form\s([^>]*)>/i)?.[1] ?? assert.fail(`no form in ${html}`))
    assert.equal(form.method?.toLowerCase(), 'post')
    const fields = new URLSearchParams()
    for (const [, tag] of html.matchAll(/<(?:input|button)\s([^>]*)>/gi)) {
      const { name, value, type } = attributes(tag)
      if (name && type !== 'submit') fields.set(name, value ?? '')
    }
    assert.ok(fields.has('request'), html)
    for (const [name, value] of Object.entries(typed)) {
      assert.ok(html.includes(`name="${name}"`), `no field ${name} in ${html}`)
      fields.set(name, value)
    }
    const action = new URL(form.action, url)
    return this.#fetch(action, { method: 'POST', headers: { origin: action.origin }, body: fields })
  }
}

/** Opens the client's link, fills in the form, and returns the address that the browser is sent back to. */
export async function signIn(url, username, password, person = new Person()) {
  const { answer, html } = await person.submit(await person.open(url), { username, password })
  assert.equal(answer.status, 303, html)
  return new URL(answer.headers.get('location'))
}

/** The same for a third party's client: signs in, and allows what the page then asks. `page` is what it says. */
export async function signInAndAllow(url, username, password) {
  const person = new Person()
  const asked = await person.submit(await person.open(url), { username, password })
  assert.equal(asked.answer.status, 200, asked.html)
  const { answer, html } = await person.submit(asked, { decision: 'allow' })
  assert.equal(answer.status, 303, html)
  return { answer: new URL(answer.headers.get('location')), page: asked.html }
}

/** Opens the link of a device, compares its code, signs in, and decides. */
export async function decideOnDevice(complete, code, username, password, decision) {
  const person = new Person()
  const typed = await person.open(complete)
  assert.ok(typed.html.includes(`value="${code}"`), typed.html)
  const page = await person.submit(typed, {})
  const asked = await person.submit(page, { username, password })
  assert.ok(asked.html.includes(code), asked.html)
  const { answer, html } = await person.submit(asked, { decision })
  assert.equal(answer.status, 200, html)
}
