// oidc-client-ts, unmodified, in a page of the server's own origin: sign-in, both ways of renewal, sign-out. And the pages
// that come after the first one. A name begins with the lines of the checklist that it proves.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { devices, looker, looks } from './looks.js'
import { launch, open, serve, startApp } from './quickstart.js'

const resolve = createRequire(import.meta.url).resolve
const library = fileURLToPath(new URL('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url))

let browser
let app
before(async () => {
  browser = await launch()
  app = await startApp(library)
})
after(async () => {
  app?.close()
  await browser?.close()
})

/** Makes a `UserManager` in the page. */
const manage = (page, client_id) =>
  page.evaluate((client_id) => {
    window.manager = new oidc.UserManager({
      authority: location.origin,
      client_id,
      redirect_uri: `${location.origin}/app/callback`,
      silent_redirect_uri: `${location.origin}/app/callback`,
      post_logout_redirect_uri: `${location.origin}/app/gone`,
      scope: 'openid profile',
      loadUserInfo: true,
      revokeTokensOnSignout: false,
      silentRequestTimeoutInSeconds: 10,
    })
  }, client_id)

async function fill(page, username, password) {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Signs in by the library, and says who it was. */
async function signIn(page, client) {
  await page.goto(`${app.origin}/app/`)
  await manage(page, client)
  await Promise.all([page.waitForURL('**/authorize?**'), page.evaluate(() => void window.manager.signinRedirect())])
  await fill(page, 'ada', 'ada123')
  await page.waitForURL('**/app/callback?**')
  await manage(page, client)
  return page.evaluate(async () => {
    const user = await window.manager.signinCallback()
    return { profile: user.profile, token: user.access_token, refresh: user.refresh_token }
  })
}

const call = (page, token) =>
  page.evaluate(async (token) => (await fetch('/me', { headers: { authorization: `Bearer ${token}` } })).status, token)

test('oidc-client-ts signs in, renews by its refresh token, gives its tokens back, and signs out', async () => {
  const { page, seen, close } = await open(browser)
  const user = await signIn(page, 'app')
  assert.deepEqual([user.profile.sub, user.profile.name], ['ada', 'ADA'])
  assert.equal(await call(page, user.token), 200)

  const before = seen.requests.length
  const renewed = await page.evaluate(async () => {
    const user = await window.manager.signinSilent()
    return { token: user.access_token, refresh: user.refresh_token }
  })
  assert.notEqual(renewed.token, user.token)
  assert.notEqual(renewed.refresh, user.refresh)
  const asked = seen.requests.slice(before).filter((request) => request.url().endsWith('/token'))
  assert.equal(new URLSearchParams(asked[0].postData()).get('grant_type'), 'refresh_token')
  assert.equal(await call(page, renewed.token), 200)

  await page.evaluate(() => window.manager.revokeTokens())
  assert.equal(await call(page, renewed.token), 401)

  // Who is signed in is not asked again.
  await page.goto(`${app.origin}/app/`)
  await manage(page, 'app')
  await Promise.all([page.waitForURL('**/app/callback?**'), page.evaluate(() => void window.manager.signinRedirect())])
  await manage(page, 'app')
  const again = await page.evaluate(async () => {
    const user = await window.manager.signinCallback()
    return { token: user.access_token, refresh: user.refresh_token, sub: user.profile.sub }
  })
  assert.equal(again.sub, 'ada')

  await Promise.all([page.waitForURL('**/app/gone**'), page.evaluate(() => void window.manager.signoutRedirect())])
  await manage(page, 'app')
  await page.evaluate(() => window.manager.signoutCallback())
  assert.equal(await call(page, again.token), 401, 'what the session gave has ended with it')
  const refreshed = await page.evaluate(async (token) => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'app', refresh_token: token })
    return (await fetch('/token', { method: 'POST', body })).status
  }, again.refresh)
  assert.equal(refreshed, 400)
  await close()
})

test('oidc-client-ts renews in a frame without a refresh token, until the session ends', async () => {
  const { page, seen, close } = await open(browser)
  const user = await signIn(page, 'framed')
  assert.equal(user.refresh, undefined)
  // The frame has a page of the application in it, where the library hands the code on.
  await page.context().addInitScript(() => {
    if (window !== window.top && location.pathname === '/app/callback') {
      addEventListener('load', () => new oidc.UserManager({ authority: location.origin, client_id: 'framed', redirect_uri: location.href }).signinCallback())
    }
  })
  const renewed = await page.evaluate(async () => (await window.manager.signinSilent()).access_token)
  assert.notEqual(renewed, user.token)
  assert.equal(await call(page, renewed), 200)
  assert.ok(seen.requests.some((request) => request.url().includes('prompt=none') && request.frame() !== page.mainFrame()))

  await page.context().clearCookies()
  const refused = await page.evaluate(() => window.manager.signinSilent().then(() => 'signed in', (error) => error.error))
  assert.equal(refused, 'login_required')
  await close()
})

test('c06 a partner gets access when the user allows it, and learns when they do not', async () => {
  const partner = await serve((request, response) => response.end('<title>Partner</title>'))
  const { page, seen, close } = await open(browser)
  const url = (scope, prompt = '') =>
    `${app.origin}/authorize?response_type=code&client_id=partner&redirect_uri=${encodeURIComponent(`${partner.origin}/partner`)}` +
    `&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&scope=${scope}${prompt}`
  await page.goto(url('notes:write'))
  await fill(page, 'ada', 'ada123')
  const text = await page.locator('main').textContent()
  for (const part of ['Partner Ltd', 'ada', 'Write notes in your name', new URL(partner.origin).host]) {
    assert.ok(text.includes(part), `${part}: ${text}`)
  }
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.waitForURL('**/partner?**')
  assert.equal(new URL(page.url()).searchParams.get('error'), 'access_denied')
  await page.goto(url('notes:write'))
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await page.getByRole('button', { name: 'Allow' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/partner?**')
  assert.ok(new URL(page.url()).searchParams.get('code'))
  assert.deepEqual(seen.console.filter((line) => /Content Security Policy|Refused/i.test(line)), [])
  partner.close()
  await close()
})

test('who will not sign in goes back to the client with access_denied, without filling anything in', async () => {
  const { page, close } = await open(browser)
  await page.goto(`${app.origin}/app/`)
  await manage(page, 'app')
  await Promise.all([page.waitForURL('**/authorize?**'), page.evaluate(() => void window.manager.signinRedirect())])
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.waitForURL('**/app/callback?**')
  assert.equal(new URL(page.url()).searchParams.get('error'), 'access_denied')
  await close()
})

for (const [colorScheme, locale] of looks) {
  for (const [device, viewport] of Object.entries(devices)) {
    test(`a second factor, consent and sign-out are accessible and whole: ${colorScheme}, ${device}, ${locale}`, async () => {
      const { page, close } = await open(browser, { colorScheme, viewport, locale, bypassCSP: true })
      const look = looker(page, { device, colorScheme, locale })
      await page.goto(
        `${app.origin}/authorize?response_type=code&client_id=partner&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fpartner` +
          '&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256' +
          '&scope=openid+notes:write&resource=https%3A%2F%2Ffiles.example',
      )
      await page.locator('#username').fill(`eve-${colorScheme}-${device}-${locale}`)
      await page.locator('#password').fill('eve123')
      await look('sign-in-second')
      await page.keyboard.press('Enter')
      await page.locator('input[type=radio]').first().waitFor()
      await look('choice')
      await page.locator('input[value=mail]').check()
      await page.keyboard.press('Enter')
      await page.locator('#answer').waitFor()
      assert.equal(await page.locator('#answer').getAttribute('inputmode'), 'numeric')
      await page.locator('#answer').fill('000000')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor()
      await look('code-again')
      await page.locator('button[name=other]').click()
      await page.locator('#answer[aria-invalid]').waitFor({ state: 'detached' })
      assert.match(await page.locator('label').textContent(), /recovery/)
      assert.equal(await page.locator('#answer').getAttribute('inputmode'), null, 'a keypad has no letters')
      await page.locator('#answer').fill('314159')
      await page.keyboard.press('Enter')
      await page.locator('button[value=allow]').waitFor()
      await look('consent')
      await page.locator('button[value=deny]').evaluate((button) => (button.form.request.value = button.form.request.value.slice(1)))
      await page.locator('button[value=deny]').click()
      await page.waitForURL('**/consent')
      await look('error-second')
      await page.goto(`${app.origin}/logout`)
      await look('sign-out')
      await page.locator('button[value=stay]').click()
      await page.locator('form').waitFor({ state: 'detached' })
      await look('stayed')
      // An application with refresh tokens, so that there is something to see.
      const callback = encodeURIComponent(`${app.origin}/app/callback`)
      await page.goto(
        `${app.origin}/authorize?response_type=code&client_id=app&redirect_uri=${callback}&scope=openid+profile+notes:write` +
          '&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256',
      )
      const redeemed = await page.evaluate(async () => {
        const code = new URLSearchParams(location.search).get('code')
        const code_verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
        const redirect_uri = location.origin + location.pathname
        const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: 'app', code, code_verifier, redirect_uri })
        return (await fetch('/token', { method: 'POST', body })).status
      })
      assert.equal(redeemed, 200)
      await page.goto(`${app.origin}/account`)
      await look('account')
      // Which of several browsers is signed out, its button says by when it was used.
      const which = await page.locator('button[name=session]').first().getAttribute('aria-describedby')
      assert.match(await page.locator(`#${which}`).textContent(), /\d{4}-\d{2}-\d{2}/)
      await page.locator('button[name=client]').click()
      await page.locator('button[name=client]').waitFor({ state: 'detached' })
      await page.goto(`${app.origin}/logout`)
      await page.locator('button').first().click()
      await page.waitForURL('**/logout')
      await page.locator('form').waitFor({ state: 'detached' })
      await look('signed-out')
      await close()
    })
  }
}

/** A page of another site with a form that a person's click, or nothing but its script, sends. */
async function elsewhere(action, fields) {
  const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
  const html = `<title>Elsewhere</title><form method="post" action="${action}">${inputs.join('')}<button>Win</button></form>`
  const site = await serve((request, response) => response.setHeader('content-type', 'text/html').end(html))
  // Another host than the server's: cookies that are `SameSite=Lax` do not come with its posts.
  return { origin: site.origin.replace('127.0.0.1', 'localhost'), close: site.close }
}

test('c37 a form of another site asks before it signs anyone out, and the user can stay', async () => {
  const { page, close } = await open(browser)
  const user = await signIn(page, 'app')
  const site = await elsewhere(`${app.origin}/logout`, {})
  for (const [button, heading, status] of [['Stay signed in', 'You are still signed in', 200], ['Sign out', 'You are signed out', 401]]) {
    await page.goto(site.origin)
    await page.getByRole('button', { name: 'Win' }).click()
    await page.getByRole('heading', { name: 'Sign out?' }).waitFor()
    await page.goto(`${app.origin}/app/`)
    assert.equal(await call(page, user.token), 200, 'nothing has ended by that')
    await page.goBack()
    await page.getByRole('button', { name: button }).click()
    await page.getByRole('heading', { name: heading }).waitFor()
    await page.goto(`${app.origin}/app/`)
    assert.equal(await call(page, user.token), status)
  }
  site.close()
  await close()
})

test('c01 an authorization request that another site posts sees who is signed in, however long it is', async () => {
  const { page, seen, close } = await open(browser)
  await signIn(page, 'app')
  for (const [state, extra, steps] of [['short', '', 0], ['l'.repeat(1024), 'x'.repeat(1024), 1]]) {
    const site = await elsewhere(`${app.origin}/authorize`, {
      response_type: 'code', client_id: 'app', redirect_uri: `${app.origin}/app/callback`, scope: 'openid', state, nonce: 'n'.repeat(512),
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', login_hint: 'h'.repeat(256),
      prompt: 'none', extra,
    })
    await page.goto(site.origin)
    await page.getByRole('button', { name: 'Win' }).click()
    if (steps) await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL('**/app/callback?**')
    const answer = new URL(page.url()).searchParams
    assert.deepEqual([answer.get('error'), answer.get('state')], [null, state])
    assert.ok(answer.get('code'))
    site.close()
  }
  assert.deepEqual(seen.console.filter((line) => /Content Security Policy|Refused/i.test(line)), [])
  await close()
})

/** The consent page, for a user who is signed in. */
async function consentPage(options) {
  const opened = await open(browser, options)
  const url =
    `${app.origin}/authorize?response_type=code&client_id=partner&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fpartner` +
    '&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&scope=openid'
  await opened.page.goto(url)
  const session = await opened.page.context().newCDPSession(opened.page)
  await session.send('Animation.enable')
  // So that a slow machine sees what passes in a moment.
  const pace = (playbackRate) => session.send('Animation.setPlaybackRate', { playbackRate })
  return { ...opened, pace }
}

for (const reducedMotion of ['no-preference', 'reduce']) {
  test(`c40 the second click of a double click on the sign-in page does not allow anything: ${reducedMotion}`, async () => {
    const { page, seen, pace, close } = await consentPage({ reducedMotion })
    await pace(0.01)
    await page.getByLabel('Username').fill('ada')
    await page.getByLabel('Password').fill('ada123')
    await page.getByRole('button', { name: 'Sign in' }).click()
    const allow = page.locator('button[value=allow]')
    await allow.waitFor({ state: 'attached' })
    // As fast as can be: where the button will be, and with the keyboard.
    const { x, y, width, height } = await allow.evaluate((button) => button.getBoundingClientRect().toJSON())
    await page.mouse.click(x + width / 2, y + height / 2)
    await allow.focus()
    await page.keyboard.press('Enter')
    await allow.evaluate((button) => button.focus())
    assert.notEqual(await page.evaluate(() => document.activeElement?.value), 'allow', 'it takes no focus yet')
    assert.equal(seen.requests.filter((request) => request.url().endsWith('/consent')).length, 0)
    await pace(1)
    await allow.waitFor()
    await allow.focus()
    assert.equal(await page.evaluate(() => document.activeElement.value), 'allow')
    await Promise.all([page.waitForRequest('**/consent'), page.keyboard.press('Enter')])
    await close()
  })
}

test('c40 a pointer that comes out from behind another window does not allow anything with its first click', async () => {
  const { page, seen, pace, close } = await consentPage()
  await fill(page, 'ada', 'ada123')
  const allow = page.locator('button[value=allow]')
  await allow.waitFor()
  const { x, y, width, height } = await allow.boundingBox()
  const url = page.url()
  // The page has been there for long, and the pointer has not been over it.
  await page.mouse.move(-10, -10)
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)))
  await pace(0.01)
  await page.mouse.click(x + width / 2, y + height / 2)
  await pace(1)
  assert.equal(page.url(), url)
  assert.equal(seen.requests.filter((request) => request.url().endsWith('/consent')).length, 0)
  await Promise.all([page.waitForRequest('**/consent'), allow.click()])
  await close()
})

const partnerUrl = (partner, more = '') =>
  `${app.origin}/authorize?response_type=code&client_id=partner&redirect_uri=${encodeURIComponent(`${partner.origin}/partner`)}` +
  `&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&scope=notes:write${more}`

async function redeem(code, partner) {
  const body = new URLSearchParams({
    grant_type: 'authorization_code', client_id: 'partner', code, redirect_uri: `${partner.origin}/partner`,
    code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  })
  return (await fetch(`${app.origin}/token`, { method: 'POST', body })).status
}

test('c41 a double click on Allow brings a code that works, and two tabs sign in side by side', async () => {
  const partner = await serve((request, response) => response.end('<title>Partner</title>'))
  const { page, close } = await open(browser)
  const other = await page.context().newPage()
  // Both are first visits: neither tab has the other's cookie yet.
  await Promise.all([page.goto(partnerUrl(partner)), other.goto(partnerUrl(partner))])
  for (const tab of [page, other]) {
    await fill(tab, 'tabs', 'tabs123')
    const allow = tab.getByRole('button', { name: 'Allow' })
    await allow.waitFor()
    await tab.waitForTimeout(1500)
    await allow.dblclick()
    await tab.waitForURL('**/partner?**')
    assert.equal(await redeem(new URL(tab.url()).searchParams.get('code'), partner), 200)
  }
  partner.close()
  await close()
})

test('c41 what is in the history signs no one in after a sign-out', async () => {
  const partner = await serve((request, response) => response.end('<title>Partner</title>'))
  const { page, close } = await open(browser)
  await page.goto(partnerUrl(partner, '&prompt=consent'))
  await fill(page, 'ada', 'ada123')
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  // The page that followed the password is left, the user signs out, and someone goes back to it.
  const resent = page.waitForRequest((request) => request.url().endsWith('/login') && request.method() === 'POST')
  await page.goto(`${app.origin}/logout`)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
  await page.evaluate(() => history.go(-2))
  await page.waitForTimeout(500)
  // A browser asks before it sends a form once more; what it would send, is sent here.
  const session = await page.context().newCDPSession(page)
  await session.send('Page.reload').catch(() => {})
  await page.waitForLoadState()
  assert.ok(!/[?&]code=/.test(page.url()), page.url())
  assert.equal(await page.getByRole('button', { name: 'Allow' }).count(), 0, await page.content())
  void resent.catch(() => {})
  partner.close()
  await close()
})
