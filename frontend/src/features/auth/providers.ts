// Other services by which people log in.
import { useMutation } from '@pinia/colada'
import { onMounted, onUnmounted, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { body, client } from '@/shared/api/client'
import { tokenOf } from './links'
import type { Away, ProviderID } from '@/shared/api/types'

/** Where to go afterwards, and the token of the invitation that somebody came with. */
export interface Purpose {
  next?: string
  invitation?: string
}

/**
 * The purpose of a login that leads to next. The token of an invitation goes by itself: as part of an address it would stand
 * in the logs of servers.
 */
export function purposeOf(next: string): Purpose {
  const token = next.startsWith('/invitation#') ? tokenOf(next.slice('/invitation'.length)) : ''
  return token ? { invitation: token } : { next }
}

export function useStartLogin() {
  return useMutation({
    mutation: ({ provider, purpose }: { provider: ProviderID; purpose: Purpose }) =>
      body<Away>(client.POST('/auth/sso/{provider}', { params: { path: { provider } }, body: purpose })),
  })
}

/** Whom the browser is on its way to, which takes a moment. Who comes back by the Back button has not left. */
export function useLeaving() {
  const leaving = ref<ProviderID>()
  const back = () => (leaving.value = undefined)
  onMounted(() => window.addEventListener('pageshow', back))
  onUnmounted(() => window.removeEventListener('pageshow', back))
  return leaving
}

/** A sentence for the code with which the way to another service ended; empty when it did not fail. */
export function useFailedText(): (code: unknown) => string {
  const { t, te } = useI18n()
  return (code) => {
    if (typeof code !== 'string' || code === '') return ''
    return te(`problem.${code}`) ? t(`problem.${code}`) : t('problem.sso_failed')
  }
}
