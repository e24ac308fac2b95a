import { useQueryCache } from '@pinia/colada'
import { useRouter } from 'vue-router'
import { events } from '@/shared/api/events'
import { useSession } from './session'

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
  }
}
