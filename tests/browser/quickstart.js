// The servers of the tests' own, a client on another origin, and a real Chromium.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const built = (name) => fileURLToPath(new URL(`../../target/debug/${name}`, import.meta.url))

/** Serves with this handler on a free port, and says where. */
export async function serve(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

/** Starts a quickstart of its own and waits until it answers. */
export const startQuickstart = () => start(process.env.QUICKSTART_BIN ?? built('examples/quickstart'), '/')

/** The application whose pages the server renders. */
export const startPages = () => start(process.env.PAGES_BIN ?? built('examples/pages'), '/')

/** The same with the single-page application of the tests, and the client library that it loads. */
export const startApp = (library) =>
  start(process.env.SPA_BIN ?? built('spa'), '/app/', { CLIENT_LIBRARY: library })

/** The service of the page on single-page applications. */
export const startSpaOfTheGuide = () => start(process.env.CLIENT_SPA_BIN ?? built('client_spa'), '/healthz')

/** The API that describes itself, with its Swagger UI. */
export const startOpenApi = () => start(process.env.OPENAPI_BIN ?? built('examples/openapi'), '/docs/')

/** The template: an application of its own, whose mails are in its log. */
export async function startTemplate() {
  const data = mkdtempSync(join(tmpdir(), 'notes-app-'))
  const environment = (origin) => ({ ORIGIN: origin, DATA: data, OAUTH_SECRET: randomBytes(32).toString('base64') })
  let log = ''
  const app = await start(process.env.TEMPLATE_BIN ?? built('notes-app'), '/login', environment, (text) => (log += text))
  const close = () => {
    app.close()
    rmSync(data, { recursive: true, force: true })
  }
  return { ...app, log: () => log, close }
}

async function start(binary, path, environment = {}, hear) {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`cargo build --workspace --bins --examples\``)
  const probe = await serve(() => {})
  probe.close()
  const more = typeof environment === 'function' ? environment(probe.origin) : environment
  const env = { ...process.env, PORT: new URL(probe.origin).port, ...more }
  const child = spawn(binary, { env, stdio: ['ignore', hear ? 'pipe' : 'ignore', 'ignore'] })
  child.stdout?.setEncoding('utf8').on('data', hear)
  process.once('exit', () => child.kill())
  for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`${binary} ended`)
    try {
      await fetch(probe.origin + path)
      return { origin: probe.origin, close: () => child.kill() }
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

export const launch = (further = []) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', ...further,
    ],
  })

/** A page in a browser of its own, that keeps what its console said and what it asked the network for. */
export async function open(browser, options = {}) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const seen = { console: [], requests: [] }
  page.on('console', (message) => seen.console.push(message.text()))
  page.on('pageerror', (error) => seen.console.push(String(error)))
  page.on('request', (request) => seen.requests.push(request))
  return { page, seen, close: () => context.close() }
}
