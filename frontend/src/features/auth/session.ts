import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { body, client } from '@/shared/api/client'
import { toApiError } from '@/shared/api/problem'
import { setMemberships } from '@/shared/api/project'
import type { Me, System } from '@/shared/api/types'

/** Who is logged in here. Tokens are in HttpOnly cookies; this only knows what the server says about the caller. */
export const useSession = defineStore('session', () => {
  const me = ref<Me>()
  const system = ref<System>()
  let loaded = false

  const setupRequired = computed(() => system.value?.setup_required ?? false)
  const registrationOpen = computed(() => setupRequired.value || system.value?.registration === 'open')
  const administrator = computed(() => me.value?.role === 'administrator')

  /** Asks once who the caller is; after forget() it asks again. */
  async function load(): Promise<void> {
    if (loaded) return
    const [who, what] = await Promise.allSettled([fetchMe(), body(client.GET('/system'))])
    if (who.status === 'fulfilled') me.value = who.value
    if (what.status === 'fulfilled') system.value = what.value
    loaded = who.status === 'fulfilled' && what.status === 'fulfilled'
  }

  async function fetchMe(): Promise<Me | undefined> {
    try {
      const who = await body(client.GET('/auth/me'))
      setMemberships(who.projects)
      return who
    } catch (cause) {
      if (toApiError(cause).status === 401) return undefined
      throw cause
    }
  }

  async function login(email: string, password: string): Promise<void> {
    await body(client.POST('/auth/login', { body: { email, password } }))
    me.value = await fetchMe()
    if (system.value) system.value = { ...system.value, setup_required: false }
  }

  /** Asks again who the caller is: their projects or roles have changed. */
  async function renew(): Promise<void> {
    me.value = await fetchMe()
  }

  async function register(
    email: string,
    username: string,
    password: string,
    invitation?: string,
  ): Promise<void> {
    await body(client.POST('/auth/register', { body: { email, username, password, invitation } }))
    await login(email, password)
  }

  async function logout(): Promise<void> {
    await client.POST('/auth/logout')
    forget()
  }

  function forget(): void {
    me.value = undefined
  }

  return {
    me,
    system,
    setupRequired,
    registrationOpen,
    administrator,
    load,
    renew,
    login,
    register,
    logout,
    forget,
  }
})
