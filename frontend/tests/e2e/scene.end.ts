// Ends what the scene left at work, for which the program would wait.
import { keptScene } from './screens'
import { expect, logIn, test } from './support'

test('the scene is cleared', async ({ page }) => {
  await logIn(page)
  const answer = await page.request.post(`/api/v1/runs/${keptScene().slowRun}/cancel`)
  expect([202, 409], await answer.text()).toContain(answer.status())
})
