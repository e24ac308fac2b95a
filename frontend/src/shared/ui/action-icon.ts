// How actions look.
import {
  Braces,
  Clock,
  Globe,
  Hash,
  Mail,
  MessageCircle,
  MessageSquare,
  MessageSquareText,
  Send,
  UserCheck,
  Workflow,
  Zap,
} from '@lucide/vue'
import type { Component } from 'vue'

const icons: Readonly<Record<string, Component>> = {
  http_endpoint: Globe,
  log_message: MessageSquareText,
  send_email: Mail,
  slack: Hash,
  discord: MessageCircle,
  teams: MessageSquare,
  telegram: Send,
  approval: UserCheck,
  run_workflow: Workflow,
  transform: Braces,
  wait: Clock,
}

export function actionIcon(type: string): Component {
  return icons[type] ?? Zap
}
