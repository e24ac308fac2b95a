// Makes what the tests of all screens look at, once for all of them.
import { buildScene, keepScene } from './screens'
import { ensureAccount, logIn, newcomer, test } from './support'

test('the scene is made', async ({ page }) => {
  await logIn(page)
  await ensureAccount(page.request, newcomer)
  await logIn(page)
  keepScene(await buildScene(page))
})
