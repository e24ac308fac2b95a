import { useQueryCache } from '@pinia/colada'
import { useRoute, useRouter } from 'vue-router'
import { chooseProject } from '@/shared/api/project'

/** Pages that show one thing, which is in the project that is left. */
const ofOneThing = /^\/(workflows|runs)\/./

/** Goes into another project, or into all of them, and forgets what is kept of the one before. */
export function useSwitchProject(): (id: string | undefined) => Promise<void> {
  const cache = useQueryCache()
  const route = useRoute()
  const router = useRouter()
  return async (id) => {
    if (ofOneThing.test(route.path)) await router.push('/')
    for (const entry of cache.getEntries()) cache.remove(entry)
    chooseProject(id)
  }
}
