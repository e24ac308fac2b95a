import '@/shared/styles/main.css'
import { PiniaColada } from '@pinia/colada'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { useSession } from '@/features/auth'
import { events } from '@/shared/api/events'
import { whenSessionLost } from '@/shared/api/client'
import { initialLocale, setLocale } from '@/shared/i18n'
import App from './App.vue'
import { router } from './router'

async function start(): Promise<void> {
  await setLocale(initialLocale(), false)
  const app = createApp(App)
  app.use(createPinia())
  app.use(PiniaColada, { queryOptions: { staleTime: 5_000, gcTime: 120_000 } })
  whenSessionLost(() => {
    const session = useSession()
    if (!session.me) return
    session.forget()
    events.stop()
    const next = router.currentRoute.value.fullPath
    void router.push({ name: 'login', query: { next, expired: '1' } })
  })
  app.use(router)
  await router.isReady()
  app.mount('#app')
}

void start()
