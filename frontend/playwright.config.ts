import { availableParallelism } from 'node:os'
import { defineConfig } from '@playwright/test'

// Run through scripts/e2e.mjs, which starts the program and finds the browser.
export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  timeout: 60_000,
  expect: { timeout: 15_000 },
  workers: availableParallelism(),
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: {
    baseURL: process.env.ORQ_E2E_URL,
    locale: 'en-GB',
    timezoneId: 'Europe/Madrid',
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    trace: process.env.CI ? 'off' : 'retain-on-failure', // nobody could fetch it there, and it takes a third of the time
    launchOptions: {
      executablePath: process.env.ORQ_CHROMIUM,
      // Chromium refuses its sandbox to root, as containers run it.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
  projects: [
    // Journeys change what others see, and some measure time: one after another, in the order of their names.
    { name: 'e2e', testMatch: '[0-9]-*.spec.ts', workers: 1 },
    // Looking changes nothing: as many at once as there are processors.
    { name: 'scene', testMatch: 'scene.begin.ts', teardown: 'scene end' },
    { name: 'screens', testMatch: 'screens.spec.ts', fullyParallel: true, dependencies: ['scene'] },
    { name: 'scene end', testMatch: 'scene.end.ts' },
    { name: 'shots', testMatch: 'shots.ts', workers: 1 },
  ],
})
