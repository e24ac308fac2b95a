// What the command palette offers: pages, commands, and the workflows whose names hold what was typed.
import {
  BellRing,
  CalendarX2,
  FilePlus2,
  Gauge,
  History,
  Keyboard,
  KeyRound,
  Languages,
  Layers,
  LayoutTemplate,
  LogOut,
  Moon,
  Play,
  Settings,
  ShieldCheck,
  Sun,
  UserCheck,
  UsersRound,
  Workflow,
} from '@lucide/vue'
import { computed, ref, shallowRef, watch, type Component, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { useLogout, useSession } from '@/features/auth'
import { useStartRun } from '@/features/runs'
import { searchWorkflows } from '@/shared/api/search'
import { locale, setLocale } from '@/shared/i18n'
import { debounced } from '@/shared/lib/debounced'
import { setTheme } from '@/shared/lib/theme'
import { toast } from '@/shared/lib/toasts'
import { useErrorText } from '@/shared/ui/error-text'
import { fitting, isID, type PaletteItem } from './palette'

export interface Item extends PaletteItem {
  icon: Component
  run: () => unknown
}
/** Groups of what fits the text, those that fit best first; it looks for workflows while the palette is open. */
export function usePalette(typed: Ref<string>, open: Ref<boolean>, help: () => void) {
  const { t } = useI18n()
  const router = useRouter()
  const errorText = useErrorText()
  const logout = useLogout()
  const session = useSession()
  const { mutateAsync: startRun } = useStartRun()
  const found = shallowRef<{ id: string; name: string; enabled: boolean }[]>([])
  const searching = ref(false)

  const pages = computed<Item[]>(() =>
    (
      [
        ['dashboard', Gauge],
        ['workflows', Workflow],
        ['runs', History],
        ['queue', Layers],
        ['approvals', UserCheck],
        ['alerts', BellRing],
        ['calendars', CalendarX2],
        ['secrets', KeyRound],
        ['projects', UsersRound],
        ['administration', ShieldCheck],
        ['settings', Settings],
      ] as const
    )
      .filter(([name]) => router.hasRoute(name) && (name !== 'administration' || session.administrator))
      .map(([name, icon]) => ({
        id: name,
        group: 'pages',
        icon,
        label: t(`palette.page.${name}`),
        words: t(`palette.words.${name}`),
        run: () => router.push({ name }),
      })),
  )
  const actions = computed<Item[]>(() => [
    {
      id: 'new',
      group: 'actions',
      icon: FilePlus2,
      label: t('workflows.new'),
      run: () => router.push({ name: 'workflow-new' }),
    },
    {
      id: 'start',
      group: 'actions',
      icon: LayoutTemplate,
      label: t('begin.title'),
      words: t('palette.words.start'),
      run: () => router.push({ name: 'start' }),
    },
    { id: 'light', group: 'actions', icon: Sun, label: t('palette.light'), run: () => setTheme('light') },
    { id: 'dark', group: 'actions', icon: Moon, label: t('palette.dark'), run: () => setTheme('dark') },
    {
      id: 'language',
      group: 'actions',
      icon: Languages,
      label: locale.value === 'en' ? 'Español' : 'English',
      words: 'language idioma',
      run: () => setLocale(locale.value === 'en' ? 'es' : 'en'),
    },
    { id: 'keys', group: 'actions', icon: Keyboard, label: t('shortcuts.title'), run: () => help() },
    { id: 'logout', group: 'actions', icon: LogOut, label: t('account.logout'), run: logout },
  ])
  const workflows = computed<Item[]>(() =>
    found.value.flatMap((workflow, i): Item[] => {
      const openIt: Item = {
        id: workflow.id,
        group: 'workflows',
        icon: Workflow,
        label: workflow.name,
        detail: workflow.enabled ? undefined : t('workflows.paused'),
        run: () => router.push({ name: 'workflow', params: { id: workflow.id } }),
      }
      if (i > 2 || typed.value.trim() === '') return [openIt]
      const runIt: Item = {
        id: `run-${workflow.id}`,
        group: 'workflows',
        icon: Play,
        label: t('workflows.runNamed', { name: workflow.name }),
        run: () => start(workflow),
      }
      return [openIt, runIt]
    }),
  )
  const items = computed<Item[]>(() => {
    const pasted = typed.value.trim()
    if (isID(pasted)) {
      return [
        {
          id: 'run-id',
          group: 'pages',
          icon: History,
          label: t('palette.openRun'),
          detail: pasted,
          run: () => router.push({ name: 'run', params: { id: pasted } }),
        },
        {
          id: 'workflow-id',
          group: 'pages',
          icon: Workflow,
          label: t('palette.openWorkflow'),
          detail: pasted,
          run: () => router.push({ name: 'workflow', params: { id: pasted } }),
        },
      ]
    }
    const rest = [...fitting(pages.value, pasted), ...fitting(actions.value, pasted)]
    return pasted === '' ? [...rest, ...workflows.value] : [...workflows.value, ...rest]
  })
  const groups = computed(() =>
    (['workflows', 'pages', 'actions'] as const)
      .map((group) => ({ group, items: items.value.filter((item) => item.group === group) }))
      .filter((group) => group.items.length > 0)
      .sort((a, b) => items.value.indexOf(a.items[0] as Item) - items.value.indexOf(b.items[0] as Item)),
  )
  const flat = computed(() => groups.value.flatMap((group) => group.items))
  const settled = debounced(typed, '', 150)
  let turn = 0
  watch([settled, open], async ([text, isOpen]) => {
    if (!isOpen || isID(text)) return
    const mine = ++turn
    searching.value = true
    const answer = await searchWorkflows(text.trim(), 8).catch(() => [])
    if (mine !== turn) return
    found.value = answer
    searching.value = false
  })
  async function start(workflow: { id: string; name: string }) {
    try {
      const run = await startRun({ workflowID: workflow.id })
      const href = router.resolve({ name: 'run', params: { id: run.id } }).href
      toast('done', t('workflows.started', { name: workflow.name }), href)
    } catch (cause) {
      toast('error', errorText(cause))
    }
  }
  return { groups, flat, searching }
}
