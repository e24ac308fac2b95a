export { default as PreferencesPanel } from './PreferencesPanel.vue'
export { default as SessionsPanel } from './SessionsPanel.vue'
export { default as TokensPanel } from './TokensPanel.vue'
export { default as PasswordPanel } from './PasswordPanel.vue'
