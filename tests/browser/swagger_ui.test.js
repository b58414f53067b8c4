// Swagger UI, unmodified, on an origin of its own and within the application: its dialog signs a user in, and "Try it out" calls a
// guarded route.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { launch, open, serve, startApp, startOpenApi } from './quickstart.js'

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

/** Signs ada in through the dialog, for every scope that it offers; the answer that had the tokens. */
async function signIn(page, client, origin) {
  await page.locator('.auth-wrapper .authorize').first().click()
  const dialog = page.locator('.modal-ux')
  assert.equal(await dialog.locator('#client_id_authorizationCode').inputValue(), client)
  for (const scope of await dialog.locator('.scopes .checkbox label').all()) await scope.click()
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click(),
  ])
  await popup.getByLabel('Username').fill('ada')
  await popup.getByLabel('Password').fill('ada123')
  const [redeemed] = await Promise.all([
    page.waitForResponse((response) => response.url() === `${origin}/token` && response.request().method() === 'POST'),
    popup.getByRole('button', { name: 'Sign in' }).click(),
  ])
  await dialog.locator('button', { hasText: 'Logout' }).waitFor()
  if (!popup.isClosed()) await popup.waitForEvent('close')
  await dialog.locator('.btn-done').click()
  return redeemed
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

  const redeemed = await signIn(page, 'documentation', app.origin)
  assert.equal(redeemed.status(), 200)
  assert.match(redeemed.request().postData(), /code_verifier=/)
  assert.equal(redeemed.request().headers()['x-requested-with'], 'XMLHttpRequest', 'which a browser asks about first')
  const response = await answered()
  assert.deepEqual([response.status(), await response.json()], [200, { by: 'ADA' }])
  assert.match(await operation.locator('.live-responses-table .response').textContent(), /200/)
  assert.deepEqual(seen.console.filter((text) => /Content Security Policy|CORS/i.test(text)), [])
  await close()
})

test('the document that the service writes has all that Swagger UI signs a user in with', async (t) => {
  const api = await startOpenApi()
  t.after(api.close)
  const { page, seen, close } = await open(browser)
  await page.goto(`${api.origin}/docs/`)
  const operation = page.locator('.opblock', { hasText: '/api/notes/{owner}' }).first()
  // A padlock, since its guard demands a scope; and none where nothing does.
  await operation.locator('.authorization__btn').waitFor()
  const health = page.locator('.opblock', { hasText: '/health' })
  assert.equal(await health.locator('.authorization__btn').count(), 0)
  await operation.locator('.opblock-summary-control').click()
  for (const status of [401, 403]) await operation.locator(`.responses-table tr[data-code="${status}"]`).waitFor()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  const answered = async (owner) => {
    await operation.getByPlaceholder('owner').fill(owner)
    const [response] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith(`/api/notes/${owner}`)),
      operation.getByRole('button', { name: 'Execute' }).click(),
    ])
    return response
  }
  assert.equal((await answered('ada')).status(), 401, 'without a token')

  const redeemed = await signIn(page, 'docs', api.origin)
  assert.equal(redeemed.status(), 200)
  assert.match(redeemed.request().postData(), /code_verifier=/)
  assert.equal((await redeemed.json()).scope, 'notes:read notes:write')
  const response = await answered('ada')
  assert.deepEqual([response.status(), await response.json()], [200, ['The plans of ada']])
  assert.equal((await answered('bob')).status(), 403, 'of another user')
  assert.deepEqual(seen.console.filter((text) => /Content Security Policy|CORS/i.test(text)), [])
  await close()
})
