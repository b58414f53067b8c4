// A browser that its user signed in with before, in a real Chromium. A name begins with the lines of the checklist that it
// proves.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, open, startQuickstart } from './quickstart.js'

async function signIn(page, origin, password) {
  await page.goto(origin)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL('**/authorize?**')
  await attempt(page, password)
}

async function attempt(page, password) {
  await page.getByLabel('Username').fill('admin')
  await page.getByLabel('Password').fill(password)
  const answered = page.waitForResponse((response) => response.url().endsWith('/login'))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await (await answered).finished()
}

test('c46 the browser that the admin used before gets in while another guesses, and one that is new does not', async () => {
  const [browser, quickstart] = [await launch(), await startQuickstart()]
  try {
    const known = await open(browser)
    await signIn(known.page, quickstart.origin, 'admin123')
    await known.page.getByText('You are signed in').waitFor()
    await known.page.getByRole('button', { name: 'Sign out' }).click()
    await known.page.getByText('You are signed out').waitFor()
    const cookie = (await known.page.context().cookies()).find(({ name }) => name.startsWith('oauth-device-'))
    assert.ok(cookie.httpOnly && cookie.sameSite === 'Lax', JSON.stringify(cookie))
    // Browsers keep no cookie for more than 400 days.
    assert.ok(cookie.expires > Date.now() / 1000 + 399 * 24 * 3600, 'it outlives the browser')

    const stranger = await open(browser)
    await signIn(stranger.page, quickstart.origin, 'a guess')
    // On a busy machine a try now and then falls into a moment that is free: until the wait is long enough for the next one.
    for (let guess = 0, wait = 0; wait < 6; guess++) {
      assert.ok(guess < 500, 'guesses are never held up')
      await attempt(stranger.page, `guess ${guess}`)
      const told = await stranger.page.getByRole('alert').textContent()
      wait = Number(told.match(/Wait (\d+) second/)?.[1] ?? 0)
    }
    await attempt(stranger.page, 'admin123')
    await stranger.page.getByText('Too many attempts.').waitFor()

    await signIn(known.page, quickstart.origin, 'admin123')
    await known.page.getByText('You are signed in').waitFor()
    await stranger.close()
    await known.close()
  } finally {
    quickstart.close()
    await browser.close()
  }
})
