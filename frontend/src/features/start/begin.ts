// What the editor needs to begin with a template or an import, without the screens of this feature.
export { handedOver } from './handover'
export { templateIDs, templateOf } from './templates'
