// The page on which a user types the code of a device without a browser, and what follows it.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { devices, looker, looks } from './looks.js'
import { launch, open, startApp } from './quickstart.js'

let browser
let app
before(async () => {
  browser = await launch()
  app = await startApp(fileURLToPath(import.meta.url)) // its library is not asked for here
})
after(async () => {
  app?.close()
  await browser?.close()
})

const post = async (path, form) => {
  const answer = await fetch(app.origin + path, { method: 'POST', body: new URLSearchParams(form) })
  return answer.json()
}

const asks = () => post('/device_authorization', { client_id: 'tv', scope: 'notes:write' })

const polls = ({ device_code }) =>
  post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: 'tv', device_code })

async function signIn(page, name) {
  await page.locator('#username').fill(name)
  await page.locator('#password').fill('ada123')
  await page.keyboard.press('Enter')
}

test('c53 a user types the code, compares it, and allows the device by the keyboard alone', async () => {
  const device = await asks()
  const { page, seen, close } = await open(browser)
  await page.goto(device.verification_uri)
  // A person sees that the field has the focus before they type.
  await page.locator('input:focus').waitFor()
  await page.keyboard.type(device.user_code.toLowerCase().replace('-', ' '))
  await page.keyboard.press('Enter')
  await signIn(page, 'ada')
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  const text = await page.locator('main').textContent()
  for (const part of ['Notes for TV', device.user_code, 'Write notes in your name', '127.0.0.1', 'began it yourself']) {
    assert.ok(text.includes(part), `${part}: ${text}`)
  }
  assert.equal((await polls(device)).error, 'authorization_pending')
  await page.getByRole('button', { name: 'Allow' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Your device can continue' }).waitFor()
  assert.ok((await polls(device)).access_token)
  // By the browser's back button nothing is allowed once more.
  await page.reload()
  assert.equal((await polls(device)).error, 'invalid_grant')
  assert.deepEqual(seen.console.filter((line) => /Content Security Policy|Refused/i.test(line)), [])
  await close()
})

test('c53 a link fills the code in and sends nothing, also where a user is signed in', async () => {
  const { page, close } = await open(browser)
  for (const decision of ['Allow', 'Deny']) {
    const device = await asks()
    await page.goto(device.verification_uri_complete)
    await page.getByText('Does your device show exactly this code?').waitFor()
    assert.equal(await page.locator('#user_code').inputValue(), device.user_code)
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY', 'Enter decides nothing here')
    await page.getByRole('button', { name: 'Continue' }).click()
    if (decision === 'Allow') await signIn(page, 'ada')
    await page.getByRole('button', { name: decision }).click()
    await page.locator('form').waitFor({ state: 'detached' })
    const answer = await polls(device)
    assert.ok(decision === 'Allow' ? answer.access_token : answer.error === 'access_denied', JSON.stringify(answer))
  }
  await close()
})

for (const [colorScheme, locale] of looks) {
  for (const [device, viewport] of Object.entries(devices)) {
    test(`the pages of a device are accessible and whole: ${colorScheme}, ${device}, ${locale}`, async () => {
      const { page, close } = await open(browser, { colorScheme, viewport, locale, bypassCSP: true })
      const look = looker(page, { device, colorScheme, locale })
      const asked = await asks()
      await page.goto(asked.verification_uri)
      await look('device')
      await page.locator('#user_code').fill('not a code')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor()
      await look('device-again')
      await page.goto(asked.verification_uri_complete)
      await look('device-complete')
      await page.locator('button').click()
      await page.locator('#username').waitFor()
      await look('device-sign-in')
      await signIn(page, 'ada')
      await page.locator('button[value=allow]').waitFor()
      await look('device-consent')
      await page.locator('button[value=allow]').click()
      await page.locator('form').waitFor({ state: 'detached' })
      await look('device-allowed')
      await close()
    })
  }
}
