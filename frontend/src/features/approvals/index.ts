export { useApprovals, useAsked } from './api'
export { default as ApprovalForm } from './ApprovalForm.vue'
export { default as ApprovalItem } from './ApprovalItem.vue'
export { default as ApprovalState } from './ApprovalState.vue'
