// Pages that the server renders (`examples/pages.rs`), in a real Chromium: to the sign-in and back, forms, other sites, and the
// page for who may not see another.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { devices, looker } from './looks.js'
import { launch, open, serve, startPages } from './quickstart.js'

let browser
let app
before(async () => {
  browser = await launch()
  app = await startPages()
})
after(async () => {
  app?.close()
  await browser?.close()
})

async function signIn(page, name) {
  await page.getByLabel('Username').fill(name)
  await page.getByLabel('Password').fill(`${name}123`)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

test('a page leads to the sign-in and back with its query, takes its form, and asks again after a sign-out', async () => {
  const { page, seen, close } = await open(browser)
  await page.goto(`${app.origin}/app/notes?q=milk`)
  assert.match(page.url(), /\/login\?page=/)
  await signIn(page, 'ada')
  await page.waitForURL(`${app.origin}/app/notes?q=milk`)

  await page.getByLabel('Note').fill('buy <milk>')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.waitForURL(`${app.origin}/app/notes`)
  assert.equal(await page.locator('li').textContent(), 'buy <milk>')

  // A script of the page asks as the page does.
  assert.equal(await page.evaluate(async () => (await fetch('/app/users')).status), 200)

  await page.getByRole('link', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are signed out').first().waitFor()
  await page.goto(`${app.origin}/app/notes`)
  assert.match(page.url(), /\/login\?page=/)
  // The browser kept nothing of it either: back at the page with the note, it asks for it anew.
  await page.goto(app.origin)
  await page.evaluate(() => history.go(-4))
  await page.waitForURL(/\/login\?page=/)
  assert.equal(await page.getByText('buy').count(), 0)
  // The example has no icon.
  assert.deepEqual(seen.console.filter((text) => !text.includes('404')), [])
  await close()
})

test('a page of another site can lead here, and neither post, show, load nor read', async () => {
  const evil = await serve((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(`<a href="${app.origin}/app/notes">to the notes</a>
      <form method="post" action="${app.origin}/app/notes"><input name="text" value="forged"><button>Win</button></form>
      <iframe src="${app.origin}/app/notes"></iframe>`)
  })
  // Another site, to which the browser brings no cookie; and one of the same site, to which it does.
  for (const origin of [evil.origin.replace('127.0.0.1', 'localhost'), evil.origin]) {
    const { page, close } = await open(browser)
    await page.goto(`${app.origin}/app/notes`)
    await signIn(page, 'bob')
    await page.waitForURL(`${app.origin}/app/notes`)

    const answers = []
    page.on('response', (response) => answers.push([response.url(), response.status()]))
    await page.goto(origin)
    await page.getByRole('button', { name: 'Win' }).click()
    await page.waitForURL(`${app.origin}/app/notes`)
    const refused = answers.filter(([url]) => url === `${app.origin}/app/notes`).map(([, status]) => status)
    assert.deepEqual(refused.length, 2)
    assert.ok(refused.every((status) => status === 401 || status === 403), `the frame and the form: ${refused}`)

    await page.goto(origin)
    await page.getByRole('link', { name: 'to the notes' }).click()
    await page.getByText('You are bob').waitFor()
    assert.equal(await page.getByText('forged').count(), 0)
    await close()
  }
  evil.close()
})

for (const [device, viewport] of Object.entries(devices)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`a user who may not see a page is shown why, and a way to another account (${device}, ${colorScheme})`, async () => {
      const { page, close } = await open(browser, { viewport, colorScheme, locale: 'en', bypassCSP: true })
      const look = looker(page, { device, colorScheme, locale: 'en' })
      await page.goto(`${app.origin}/app/users`)
      await look('pages-sign-in')
      await signIn(page, 'bob')
      await page.getByRole('heading', { name: 'This page cannot be shown' }).waitFor()
      await look('pages-not-shown')
      await page.getByRole('link', { name: 'Use another account' }).click()
      await signIn(page, 'ada')
      await page.waitForURL(`${app.origin}/app/users`)
      assert.equal(await page.locator('li').count(), 2)

      // What was typed too late.
      await page.goto(`${app.origin}/app/notes`)
      await page.context().clearCookies()
      await page.getByLabel('Note').fill('too late')
      await page.getByRole('button', { name: 'Add' }).click()
      await page.getByText('was not accepted').waitFor()
      await look('pages-not-taken')
      await page.getByRole('link', { name: 'Sign in' }).click()
      await signIn(page, 'ada')
      await page.waitForURL(`${app.origin}/app/notes`)
      await close()
    })
  }
}
