import {
  Activity,
  ArrowRightLeft,
  BellRing,
  BookCopy,
  DatabaseBackup,
  FileText,
  Hand,
  HeartPulse,
  Hourglass,
  LifeBuoy,
  UserCheck,
  Webhook,
} from '@lucide/vue'
import type { Component } from 'vue'
import type { TemplateID } from './templates'

export const templateIcons: Record<TemplateID, Component> = {
  hello: Hand,
  health: Activity,
  report: FileText,
  chat: BellRing,
  hook: Webhook,
  approve: UserCheck,
  forward: ArrowRightLeft,
  fallback: LifeBuoy,
  pages: BookCopy,
  watch: HeartPulse,
  later: Hourglass,
  job: DatabaseBackup,
}
