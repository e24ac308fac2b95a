export { useApprovals } from './api'
export { default as ApprovalForm } from './ApprovalForm.vue'
export { default as ApprovalItem } from './ApprovalItem.vue'
