// The template's own pages (`examples/app`), as a new user comes through them.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { devices, looker } from './looks.js'
import { launch, open, startTemplate } from './quickstart.js'

let browser
let app
before(async () => {
  browser = await launch()
  app = await startTemplate()
})
after(async () => {
  app?.close()
  await browser?.close()
})

/** The link in the last mail to this address. */
async function mailed(page, address) {
  for (;;) {
    const found = app.log().match(new RegExp(`a mail to ${address}: .*?(http\\S+request=[\\w-]+)`))
    if (found) return found[1]
    await page.waitForTimeout(50)
  }
}

for (const [device, viewport] of Object.entries(devices)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`a new user makes an account, on pages that are accessible and whole: ${device}, ${colorScheme}`, async () => {
      const { page, close } = await open(browser, { viewport, colorScheme, locale: 'en', bypassCSP: true })
      const look = looker(page, { device, colorScheme, locale: 'en' })
      const address = `${device}-${colorScheme}@example.com`
      const answer = `${app.origin}/docs/oauth2-redirect.html`
      await page.goto(
        `${app.origin}/authorize?response_type=code&client_id=docs&scope=notes:read&redirect_uri=${encodeURIComponent(answer)}` +
          '&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256',
      )
      await page.getByRole('link', { name: 'Create an account' }).click()
      const typed = page.getByLabel('Your address')
      await look('template-address')
      await typed.fill(address)
      await page.keyboard.press('Enter')
      await page.getByText('We sent you a link').waitFor()
      await look('template-sent')

      const link = await mailed(page, address)
      await page.goto(link)
      await look('template-password')
      // As what a password manager keeps it.
      assert.equal(await page.locator('[autocomplete=username]').inputValue(), address)
      const password = page.getByLabel('Your new password')
      await password.pressSequentially('2short')
      await page.keyboard.press('Enter')
      assert.equal(await password.evaluate((input) => input.validity.tooShort), true)
      await password.fill('correct horse')
      await page.keyboard.press('Enter')
      await page.waitForURL(`${answer}?**`)
      await close()
    })
  }
}
