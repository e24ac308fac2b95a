// How quickly a page answers: the time from an interaction to the next paint, and the longest task.
import type { Page } from '@playwright/test'
import { expect } from './support'

const limit = 200 // ms

interface Measured {
  events: number[]
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
    for (const entry of list.getEntries()) kept.events.push(entry.duration)
  }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
}

/** Waits until the page has nothing to do: the loading is no part of what somebody does afterwards. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 2000 })))
}

/** Nothing that happens keeps the page busy for more than 200 ms, nor a press or click without an answer for as long. */
export async function expectSmooth(page: Page, where: string, act: () => Promise<void>): Promise<void> {
  await page.addInitScript(note)
  await page.evaluate(note)
  await act()
  // What was measured is handed out after the next frames.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))))
  const { events, tasks } = await page.evaluate(() => (window as never as { kept: Measured }).kept)
  const worst = { event: Math.max(0, ...events), task: Math.round(Math.max(0, ...tasks)) }
  console.log(`    ${where}: slowest interaction ${worst.event} ms, longest task ${worst.task} ms`)
  expect(worst.event, `${where}: interaction to next paint`).toBeLessThanOrEqual(limit)
  expect(worst.task, `${where}: longest task`).toBeLessThanOrEqual(limit)
}
