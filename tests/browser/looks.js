// How the pages are looked at: by day and by night, on a phone and on a desk, in each language.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const screenshots = fileURLToPath(new URL('screenshots/', import.meta.url))
mkdirSync(screenshots, { recursive: true })

/** Every language in the light, and in the dark two: one runs from right to left. */
export const looks = [
  ...['en', 'de', 'fr', 'es', 'ja', 'ar'].map((locale) => ['light', locale]),
  ...['en', 'ar'].map((locale) => ['dark', locale]),
]
export const devices = { phone: { width: 320, height: 640 }, desktop: { width: 1280, height: 800 } }

/** What is not accessible in a page: each rule that is broken, and by what. */
export async function inaccessible(page) {
  await page.evaluate(axe)
  // What keeps the rules is a hundred times as much, and to send it here takes longer than to find it.
  return page.evaluate(async () => {
    const { violations } = await window.axe.run({ resultTypes: ['violations'] })
    return violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])
  })
}

/** What axe does not look at. */
const unfit = (page) =>
  page.evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)]
    const html = (elements) => elements.map((element) => element.outerHTML)
    const isSmall = ({ width, height }) => width < 24 || height < 24
    const problem = document.querySelector('[role=alert]')?.textContent ?? ''
    return {
      // WCAG 2.2, 2.5.8. A label is pressed for what is in it.
      small: html(all('a, button, input:not([type=hidden])').map((it) => it.closest('label') ?? it).filter((it) => isSmall(it.getBoundingClientRect()))),
      // 1.3.5: what a browser or a password manager knows.
      unfilled: html(all('[type=password], [type=email], #username, #answer').filter((it) => !it.autocomplete)),
      // 1.4.10: without it a phone draws a page for desks, and small.
      narrow: all('meta[name=viewport][content^="width=device-width"]').length === 0,
      // 2.4.2: the title is what a screen reader says of a page that comes again, and what a tab shows.
      untold: document.title.includes(problem) ? '' : document.title,
    }
  })

/** Makes a function that keeps a picture of a page, and finds what is not accessible or is cut off in it. */
export const looker = (page, { device, colorScheme, locale }) => async (name) => {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)))
  await page.screenshot({ path: `${screenshots}${name}-${device}-${colorScheme}-${locale}.png`, fullPage: true })
  const html = page.locator('html')
  const runs = (await html.getAttribute('dir')) ?? 'ltr'
  assert.deepEqual([await html.getAttribute('lang'), runs], [locale, locale === 'ar' ? 'rtl' : 'ltr'], name)
  assert.deepEqual(await inaccessible(page), [], name)
  assert.deepEqual(await unfit(page), { small: [], unfilled: [], narrow: false, untold: '' }, name)
  const cut = await page.evaluate((isDesktop) => {
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = document.documentElement
    const buttons = [...document.querySelectorAll('button, .button')]
    return {
      sideways: scrollWidth > clientWidth,
      below: isDesktop && scrollHeight > clientHeight,
      // More than one line on a button of a phone is too much.
      buttons: buttons.filter((button) => button.clientHeight > 60).map((button) => button.textContent),
    }
  }, device === 'desktop')
  assert.deepEqual(cut, { sideways: false, below: false, buttons: [] }, name)
}
