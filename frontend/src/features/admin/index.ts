export { default as AccountInvitations } from './AccountInvitations.vue'
export { default as InstallationPanel } from './InstallationPanel.vue'
export { default as PeoplePanel } from './PeoplePanel.vue'
export { default as ProjectsPanel } from './ProjectsPanel.vue'
