export { default as AuditLog } from './AuditLog.vue'
export { default as VerifyPanel } from './VerifyPanel.vue'
