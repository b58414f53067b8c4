// What a person sees, in a real Chromium. A name begins with the lines of the checklist that it proves.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inaccessible } from './looks.js'
import { launch, open, serve, startQuickstart } from './quickstart.js'

const screenshots = fileURLToPath(new URL('screenshots/', import.meta.url))
mkdirSync(screenshots, { recursive: true })

let browser
let quickstart
before(async () => {
  browser = await launch()
  quickstart = await startQuickstart()
})
after(async () => {
  quickstart?.close()
  await browser?.close()
})

async function signInPage(options) {
  const opened = await open(browser, options)
  await opened.page.goto(quickstart.origin)
  await opened.page.getByRole('button', { name: 'Sign in' }).click()
  await opened.page.waitForURL('**/authorize?**')
  return opened
}

async function fill(page, username, password) {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function answerOf(page, route) {
  await page.getByRole('button', { name: `GET ${route}` }).click()
  await page.waitForFunction(() => !document.getElementById('answer').hidden)
  await page.waitForFunction((route) => document.getElementById('answer').textContent !== '' && route, route)
  return page.locator('#answer').textContent()
}

const complaints = (seen) => seen.console.filter((text) => /Content Security Policy|Refused/i.test(text))

test('c31 c32 the admin signs in, under the policy of the page, and the password goes nowhere else', async () => {
  const { page, seen, close } = await signInPage()
  await fill(page, 'admin', 'admin123')
  await page.getByText('You are signed in').waitFor()
  assert.deepEqual(JSON.parse(await page.locator('#claims').textContent()), {
    permissions: ['read', 'write', 'delete'], role: 'admin', sub: 'admin',
  })
  assert.deepEqual(complaints(seen), [])
  assert.equal(new URL(page.url()).search, '', 'the code does not stay in the address bar')
  const withPassword = seen.requests.filter((request) => (request.postData() ?? '').includes('admin123'))
  assert.deepEqual(withPassword.map((request) => new URL(request.url()).pathname), ['/login'])
  assert.match(await answerOf(page, '/admin'), /^200 /)
  await close()
})

test('who is no admin gets 403, and who is nobody 401', async () => {
  const { page, close } = await signInPage()
  await fill(page, 'user', 'user123')
  await page.getByText('You are signed in').waitFor()
  assert.match(await answerOf(page, '/admin'), /^403 .*\nWWW-Authenticate: Bearer .*insufficient_scope/)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are signed out').waitFor()
  assert.match(await answerOf(page, '/user'), /^401 .*\nWWW-Authenticate: Bearer realm=/)
  await close()
})

test('a wrong password: the page again, the name kept, the cursor in the password', async () => {
  const { page, close } = await signInPage()
  const answered = page.waitForResponse((response) => response.url().endsWith('/login'))
  await fill(page, 'user', 'wrong')
  assert.equal((await answered).status(), 401)
  assert.match(await page.getByRole('alert').textContent(), /incorrect/)
  assert.equal(await page.getByLabel('Username').inputValue(), 'user')
  await page.locator('#password:focus').waitFor()
  assert.equal(await page.getByLabel('Password').getAttribute('aria-describedby'), 'problem')
  await page.keyboard.type('user123')
  await page.keyboard.press('Enter')
  await page.getByText('You are signed in').waitFor()
  await close()
})

test('the keyboard alone suffices', async () => {
  const { page, close } = await open(browser)
  await page.goto(quickstart.origin)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/authorize?**')
  // The browser moves the cursor when it has drawn the page.
  await page.locator('#username:focus').waitFor()
  await page.keyboard.type('user')
  await page.keyboard.press('Tab')
  await page.keyboard.type('user123')
  await page.keyboard.press('Tab')
  await page.locator('button:focus', { hasText: 'Sign in' }).waitFor()
  await page.keyboard.press('Enter')
  await page.getByText('You are signed in').waitFor()
  await close()
})

test('c31 c35 an application of another origin signs in and redeems its code', async () => {
  const html = `<!doctype html><html lang="en"><title>Client</title><p id="out"></p><script>
    const server = '${quickstart.origin}', uri = location.origin + '/callback'
    const base64url = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '')
    ;(async () => {
      const metadata = await (await fetch(server + '/.well-known/oauth-authorization-server')).json()
      const code = new URLSearchParams(location.search).get('code')
      if (!code) {
        const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)))
        sessionStorage.verifier = verifier
        const code_challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
        location.assign(metadata.authorization_endpoint + '?' + new URLSearchParams({ response_type: 'code', client_id: 'demo', redirect_uri: uri, state: 's', code_challenge, code_challenge_method: 'S256' }))
        return
      }
      const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: 'demo', code, redirect_uri: uri, code_verifier: sessionStorage.verifier })
      const token = await (await fetch(metadata.token_endpoint, { method: 'POST', body })).json()
      document.getElementById('out').textContent = token.token_type + ' ' + token.expires_in
    })().catch(error => { document.getElementById('out').textContent = String(error) })
  </script></html>`
  const client = await serve((_, response) => response.setHeader('content-type', 'text/html').end(html))
  const { page, seen, close } = await open(browser)
  await page.goto(client.origin + '/callback')
  await page.waitForURL('**/authorize?**')
  assert.match(await page.locator('main').textContent(), new RegExp(new URL(client.origin).host))
  await fill(page, 'user', 'user123')
  await page.waitForURL(client.origin + '/callback?**')
  await page.waitForFunction(() => document.getElementById('out').textContent !== '')
  assert.equal(await page.locator('#out').textContent(), 'Bearer 3600')
  assert.deepEqual(complaints(seen), [])
  await close()
  client.close()
})

test('c30 no page is shown in a frame', async () => {
  const { page, close } = await signInPage()
  const signIn = page.url()
  const framing = await serve((_, response) => {
    response.setHeader('content-type', 'text/html').end(`<iframe src="${signIn.replaceAll('&', '&amp;')}"></iframe>`)
  })
  await page.goto(framing.origin)
  await page.waitForTimeout(500)
  const frame = page.frames().find((frame) => frame !== page.mainFrame())
  assert.equal(await frame.locator('form').count(), 0)
  await close()
  framing.close()
})

test('c33 the sign-in page asks for nothing but its own, and runs no script', async () => {
  const { page, seen, close } = await signInPage()
  await page.reload()
  assert.equal(await page.locator('script').count(), 0)
  const elsewhere = seen.requests.map((request) => new URL(request.url())).filter((url) => url.origin !== quickstart.origin && url.protocol !== 'data:')
  assert.deepEqual(elsewhere, [])
  await close()
})

test('c04 an unknown client gets a page of the server that says so', async () => {
  const { page, close } = await open(browser)
  const response = await page.goto(`${quickstart.origin}/authorize?client_id=nobody&redirect_uri=https://evil.example/`)
  assert.equal(response.status(), 400)
  assert.equal(new URL(page.url()).origin, quickstart.origin)
  assert.match(await page.locator('main').textContent(), /no client is registered/)
  await close()
})

for (const colorScheme of ['light', 'dark']) {
  for (const [device, viewport] of Object.entries({ phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } })) {
    test(`every page is accessible: ${colorScheme}, ${device}`, async () => {
      const { page, close } = await signInPage({ colorScheme, viewport, bypassCSP: true })
      const look = async (name) => {
        await page.screenshot({ path: `${screenshots}${name}-${device}-${colorScheme}.png` })
        assert.deepEqual(await inaccessible(page), [], name)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
        assert.equal(wide, false, `${name} scrolls sideways`)
      }
      await look('sign-in')
      await fill(page, `user-${colorScheme}-${device}`, 'wrong')
      await page.getByRole('alert').waitFor()
      await look('sign-in-again')
      await fill(page, 'admin', 'admin123')
      await page.getByText('You are signed in').waitFor()
      await answerOf(page, '/admin')
      await look('signed-in')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByText('You are signed out').waitFor()
      await look('signed-out')
      await page.goto(`${quickstart.origin}/authorize?client_id=nobody`)
      await look('error')
      await close()
    })
  }
}
