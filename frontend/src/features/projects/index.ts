export { useProject } from './api'
export { useSwitchProject } from './switch'
export { default as ProjectSwitcher } from './ProjectSwitcher.vue'
