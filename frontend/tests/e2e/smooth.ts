// How quickly a page answers: the time from an interaction to the next paint, and the longest task.
import type { Locator, Page } from '@playwright/test'
import { expect } from './support'

const limit = 200 // ms

interface Measured {
  events: { what: string; took: number; waited: number; worked: number }[]
  tasks: number[]
}

/** Notes what takes long from now on; runs in the page. */
function note(): void {
  const kept: Measured = { events: [], tasks: [] }
  Object.assign(window, { kept })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) kept.tasks.push(entry.duration)
  }).observe({ type: 'longtask' })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as PerformanceEventTiming[]) {
      const { name, duration, startTime, processingStart, processingEnd } = entry
      kept.events.push({
        what: name,
        took: duration,
        waited: Math.round(processingStart - startTime),
        worked: Math.round(processingEnd - processingStart),
      })
    }
  }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
}

/** Waits until the page has nothing to do: the loading is no part of what somebody does afterwards. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 2000 })))
}

/** Waits until the page shows what was done: nobody presses a key again before that. */
export async function shown(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
}

/** Presses a key so many times, as a person does. */
export async function press(page: Page, key: string, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    await page.keyboard.press(key)
    await shown(page)
  }
}

/** Clicks where something is. Locators look through the whole page, which is not to happen between a click and its paint. */
export async function click(page: Page, what: Locator, { held = '' } = {}): Promise<void> {
  await what.scrollIntoViewIfNeeded()
  const box = await what.boundingBox()
  if (!box) throw new Error('there is nothing to click')
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await shown(page)
  if (held) await page.keyboard.down(held)
  await page.mouse.down()
  await page.mouse.up()
  if (held) await page.keyboard.up(held)
  await shown(page)
}

/** Nothing that happens keeps the page busy for more than 200 ms, nor a press or click without an answer for as long. */
export async function expectSmooth(page: Page, where: string, act: () => Promise<void>): Promise<void> {
  await page.addInitScript(note)
  await page.evaluate(note)
  await act()
  // What was measured is handed out after the next frames.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))))
  const { events, tasks } = await page.evaluate(() => (window as never as { kept: Measured }).kept)
  const [slowest] = events.sort((a, b) => b.took - a.took)
  const task = Math.round(Math.max(0, ...tasks))
  const told = slowest
    ? `${slowest.what} ${slowest.took} ms (waited ${slowest.waited}, worked ${slowest.worked})`
    : 'none of note'
  console.log(`    ${where}: slowest interaction ${told}, longest task ${task} ms`)
  expect(slowest?.took ?? 0, `${where}: interaction to next paint`).toBeLessThanOrEqual(limit)
  expect(task, `${where}: longest task`).toBeLessThanOrEqual(limit)
}
