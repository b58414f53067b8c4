// Swagger UI, unmodified, on an origin of its own: its dialog signs a user in, and "Try it out" calls a guarded route.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { launch, open, serve, startApp } from './quickstart.js'

const { absolutePath } = createRequire(import.meta.url)('swagger-ui-dist')
const TYPES = { css: 'text/css', html: 'text/html', js: 'text/javascript' }

let browser
let app
before(async () => {
  browser = await launch()
  app = await startApp('')
})
after(async () => {
  app?.close()
  await browser?.close()
})

/** The OpenAPI document of the application, with no more about its server than the two addresses. */
const description = () => ({
  openapi: '3.1.0',
  info: { title: 'Notes', version: '1' },
  servers: [{ url: app.origin }],
  paths: {
    '/api/notes': {
      get: { operationId: 'notes', security: [{ oauth: ['notes:write'] }], responses: { 200: { description: 'Whose notes' } } },
    },
  },
  components: {
    securitySchemes: {
      oauth: {
        type: 'oauth2',
        flows: {
          authorizationCode: {
            authorizationUrl: `${app.origin}/authorize`,
            tokenUrl: `${app.origin}/token`,
            scopes: { 'notes:write': 'Write notes' },
          },
        },
      },
    },
  },
})

/** What `swagger-initializer.js` is replaced by, as its documentation says. */
const initializer = `window.onload = () => {
  window.ui = SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true })
  window.ui.initOAuth({ clientId: 'documentation', usePkceWithAuthorizationCodeGrant: true })
}`

/** The files of the package, but for those two. */
function files(request, response) {
  const name = new URL(request.url, 'http://swagger').pathname.slice(1) || 'index.html'
  const own = { 'openapi.json': () => JSON.stringify(description()), 'swagger-initializer.js': () => initializer }
  response.setHeader('content-type', TYPES[name.split('.').pop()] ?? 'application/json')
  try {
    response.end(own[name]?.() ?? readFileSync(`${absolutePath()}/${name}`))
  } catch {
    response.writeHead(404).end()
  }
}

test('c31 c35 Swagger UI on another origin signs in with PKCE, and calls a guarded route', async (t) => {
  const site = await serve(files)
  t.after(site.close)
  const { page, seen, close } = await open(browser)
  await page.goto(site.origin)
  const operation = page.locator('#operations-default-notes')
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  const answered = async () => {
    const [response] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/api/notes') && response.request().method() === 'GET'),
      operation.getByRole('button', { name: 'Execute' }).click(),
    ])
    return response
  }
  assert.equal((await answered()).status(), 401, 'without a token')

  await page.locator('.auth-wrapper .authorize').first().click()
  const dialog = page.locator('.modal-ux')
  assert.equal(await dialog.locator('#client_id_authorizationCode').inputValue(), 'documentation')
  await dialog.locator('.scopes label').click()
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click(),
  ])
  await popup.getByLabel('Username').fill('ada')
  await popup.getByLabel('Password').fill('ada123')
  const [redeemed] = await Promise.all([
    page.waitForResponse((response) => response.url() === `${app.origin}/token` && response.request().method() === 'POST'),
    popup.getByRole('button', { name: 'Sign in' }).click(),
  ])
  assert.equal(redeemed.status(), 200)
  assert.match(redeemed.request().postData(), /code_verifier=/)
  assert.equal(redeemed.request().headers()['x-requested-with'], 'XMLHttpRequest', 'which a browser asks about first')
  await dialog.locator('button', { hasText: 'Logout' }).waitFor()
  if (!popup.isClosed()) await popup.waitForEvent('close')
  await dialog.locator('.btn-done').click()

  const response = await answered()
  assert.deepEqual([response.status(), await response.json()], [200, { by: 'ADA' }])
  assert.match(await operation.locator('.live-responses-table .response').textContent(), /200/)
  assert.deepEqual(seen.console.filter((text) => /Content Security Policy|CORS/i.test(text)), [])
  await close()
})
