import { nextTick } from 'vue'
import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'
import { useSession } from '@/features/auth'
import { needTexts, type TextPart } from '@/shared/i18n'
import { safeNext } from '@/shared/lib/next-address'

declare module 'vue-router' {
  interface RouteMeta {
    /** Shown without the frame of the application, to people who are not logged in. */
    bare?: boolean
    /** Bare, and for people who are logged in too: where links lead. */
    open?: boolean
    /** For administrators of the installation; others see that there is no such page. */
    administrators?: boolean
    /** It says what few pages say. */
    texts?: readonly TextPart[]
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'dashboard', component: () => import('@/pages/DashboardPage.vue') },
    {
      path: '/login',
      name: 'login',
      component: () => import('@/pages/LoginPage.vue'),
      meta: { bare: true, texts: ['late'] },
    },
    {
      path: '/register',
      name: 'register',
      component: () => import('@/pages/RegisterPage.vue'),
      meta: { bare: true, texts: ['late'] },
    },
    { path: '/workflows', name: 'workflows', component: () => import('@/pages/WorkflowsPage.vue') },
    {
      path: '/workflows/new',
      name: 'workflow-new',
      component: () => import('@/pages/WorkflowEditPage.vue'),
      meta: { texts: ['late'] },
    },
    {
      path: '/workflows/:id',
      component: () => import('@/pages/WorkflowPage.vue'),
      props: true,
      children: [
        { path: '', name: 'workflow', component: () => import('@/pages/WorkflowRunsTab.vue') },
        {
          path: 'definition',
          name: 'workflow-definition',
          component: () => import('@/pages/WorkflowDefinitionTab.vue'),
          meta: { texts: ['late'] },
        },
        {
          path: 'occurrences',
          name: 'workflow-occurrences',
          component: () => import('@/pages/WorkflowOccurrencesTab.vue'),
          meta: { texts: ['late'] },
        },
        {
          path: 'versions',
          name: 'workflow-versions',
          component: () => import('@/pages/WorkflowVersionsTab.vue'),
        },
      ],
    },
    {
      path: '/workflows/:id/edit',
      name: 'workflow-edit',
      component: () => import('@/pages/WorkflowEditPage.vue'),
      props: true,
    },
    {
      path: '/queue',
      name: 'queue',
      component: () => import('@/pages/QueuePage.vue'),
      meta: { texts: ['late'] },
    },
    { path: '/runs', name: 'runs', component: () => import('@/pages/RunsPage.vue') },
    { path: '/runs/:id', name: 'run', component: () => import('@/pages/RunPage.vue'), props: true },
    {
      path: '/calendars',
      name: 'calendars',
      component: () => import('@/pages/CalendarsPage.vue'),
      meta: { texts: ['late'] },
    },
    { path: '/approvals', name: 'approvals', component: () => import('@/pages/ApprovalsPage.vue') },
    {
      path: '/approve/:token',
      name: 'approve',
      component: () => import('@/pages/ApprovePage.vue'),
      meta: { bare: true, open: true },
      props: true,
    },
    {
      path: '/alerts',
      name: 'alerts',
      component: () => import('@/pages/AlertsPage.vue'),
      meta: { texts: ['late'] },
    },
    {
      path: '/secrets',
      name: 'secrets',
      component: () => import('@/pages/SecretsPage.vue'),
      meta: { texts: ['late'] },
    },
    {
      path: '/settings',
      name: 'settings',
      component: () => import('@/pages/SettingsPage.vue'),
      meta: { texts: ['late'] },
    },
    {
      path: '/forgot',
      name: 'forgot',
      component: () => import('@/pages/ForgotPage.vue'),
      meta: { bare: true, texts: ['late'] },
    },
    {
      path: '/reset',
      name: 'reset',
      component: () => import('@/pages/ResetPage.vue'),
      meta: { bare: true, open: true, texts: ['late'] },
    },
    {
      path: '/invitation',
      name: 'invitation',
      component: () => import('@/pages/InvitationPage.vue'),
      meta: { bare: true, open: true, texts: ['late'] },
    },
    {
      path: '/projects',
      name: 'projects',
      component: () => import('@/pages/ProjectsPage.vue'),
      meta: { texts: ['late'] },
    },
    {
      path: '/projects/:id',
      name: 'project',
      component: () => import('@/pages/ProjectPage.vue'),
      props: true,
      meta: { texts: ['late'] },
    },
    {
      path: '/administration',
      name: 'administration',
      component: () => import('@/pages/AdministrationPage.vue'),
      meta: { administrators: true, texts: ['late'] },
    },
    {
      path: '/administration/audit',
      name: 'audit',
      component: () => import('@/pages/AuditPage.vue'),
      meta: { administrators: true, texts: ['late', 'audit'] },
    },
    {
      path: '/projects/:id/audit',
      name: 'project-audit',
      component: () => import('@/pages/ProjectAuditPage.vue'),
      props: true,
      meta: { texts: ['late', 'audit'] },
    },
    {
      path: '/start',
      name: 'start',
      component: () => import('@/pages/StartPage.vue'),
      meta: { texts: ['late'] },
    },
    { path: '/:rest(.*)*', name: 'not-found', component: () => import('@/pages/NotFoundPage.vue') },
  ],
  scrollBehavior(to, from, saved) {
    if (saved) return saved
    if (goesOn(to, from)) return false
    if (to.matched[0]?.path === from.matched[0]?.path && to.params.id === from.params.id) return false
    return { top: 0 }
  },
})

/** A new workflow has got the address of its draft, under the same editor. */
function goesOn(to: RouteLocationNormalized, from: RouteLocationNormalized): boolean {
  return from.name === 'workflow-new' && to.name === 'workflow-edit'
}

/** Pages that the server has besides this application: the queue's dashboard and the API's reference. */
const servedElsewhere = /^\/(monitoring|docs)(\/|$)/

router.beforeEach(async (to) => {
  if (servedElsewhere.test(to.path)) {
    window.location.assign(to.fullPath)
    return false
  }
  const session = useSession()
  await Promise.all([session.load(), to.meta.texts && needTexts(to.meta.texts)])
  if (to.meta.open) return true
  if (to.meta.bare) {
    if (session.me) return safeNext(to.query.next)
    if (session.setupRequired && to.name === 'login') return { name: 'register', query: to.query }
    return true
  }
  if (session.me && to.meta.administrators && !session.administrator)
    return { name: 'not-found', params: { rest: to.path.slice(1).split('/') }, replace: true }
  if (session.me) return true
  const query = to.fullPath === '/' ? {} : { next: to.fullPath }
  return { name: session.setupRequired ? 'register' : 'login', query }
})

// A reader's or keyboard user's place is the new page's content, not the link that is gone.
router.afterEach((to, from) => {
  if (from.matched.length === 0 || to.path === from.path || goesOn(to, from)) return
  if (to.matched[0]?.path === from.matched[0]?.path && to.params.id === from.params.id) return
  void nextTick(() => document.getElementById('content')?.focus({ preventScroll: true }))
})

// After an upgrade of the server the parts of the old version are gone: load the new one, once.
const reloadedFor = 'orq.reloaded_for'
router.onError((error: Error, to) => {
  if (!/dynamically imported module|module script|preload/i.test(error.message)) return
  try {
    if (sessionStorage.getItem(reloadedFor) === to.fullPath) return
    sessionStorage.setItem(reloadedFor, to.fullPath)
  } catch {
    return
  }
  location.assign(to.fullPath)
})
