// How quickly a page answers: the time from an interaction to the next paint, and the longest task.
import { availableParallelism, loadavg } from 'node:os'
import type { Page } from '@playwright/test'
import { expect } from './support'

const limit = 200 // ms, on a machine that has little else to do

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

/** How many times as long the same work takes now and then, because others have the processors. */
async function strain(page: Page): Promise<number> {
  const here = await page.evaluate(async () => {
    const spans: number[] = []
    for (let i = 0; i < 16; i++) {
      const begun = performance.now()
      let sum = 0
      for (let j = 0; j < 2_000_000; j++) sum += j % 7
      if (sum > 0) spans.push(performance.now() - begun)
      await new Promise((resolve) => setTimeout(resolve, 4))
    }
    spans.sort((a, b) => a - b)
    return (spans[11] ?? 1) / Math.max(1, spans[0] ?? 1)
  })
  const busy = (loadavg()[0] ?? 0) / availableParallelism()
  return Math.max(1, here, busy / 1.5)
}

/** Waits until the page has nothing to do: the loading is no part of what somebody does afterwards. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve, { timeout: 2000 })))
}

/**
 * Nothing that happens keeps the page busy for more than 200 ms, nor a press or click without an answer for as long; where
 * others keep the processors busy, longer in proportion.
 */
export async function expectSmooth(page: Page, where: string, act: () => Promise<void>): Promise<void> {
  await page.addInitScript(note)
  await page.evaluate(note)
  const before = await strain(page)
  await act()
  // What was measured is handed out after the next frames.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))))
  const { events, tasks } = await page.evaluate(() => (window as never as { kept: Measured }).kept)
  const most = limit * Math.max(before, await strain(page))
  const worst = { event: Math.max(0, ...events), task: Math.round(Math.max(0, ...tasks)) }
  console.log(
    `    ${where}: slowest interaction ${worst.event} ms, longest task ${worst.task} ms, of ${Math.round(most)}`,
  )
  expect(worst.event, `${where}: interaction to next paint`).toBeLessThanOrEqual(most)
  expect(worst.task, `${where}: longest task`).toBeLessThanOrEqual(most)
}
