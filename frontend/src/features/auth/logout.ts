import { useQueryCache } from '@pinia/colada'
import { useRouter } from 'vue-router'
import { events } from '@/shared/api/events'
import { useSession } from './session'

/** What somebody typed and could not save stays for nobody else. */
function forgetDrafts() {
  try {
    for (const key of Object.keys(localStorage))
      if (key.startsWith('orq.draft.')) localStorage.removeItem(key)
  } catch {
    // Storage may be blocked; then nothing was kept.
  }
}

/** Ends the session, and forgets everything of this person, so that nothing is left for the next one. */
export function useLogout(): () => Promise<void> {
  const session = useSession()
  const router = useRouter()
  const cache = useQueryCache()
  return async () => {
    await session.logout().catch(() => session.forget())
    events.stop()
    await router.push({ name: 'login' })
    for (const entry of cache.getEntries()) cache.remove(entry)
    forgetDrafts()
  }
}
