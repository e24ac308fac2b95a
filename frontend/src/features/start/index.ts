export { handOver } from './handover'
export { default as CrontabImport } from './CrontabImport.vue'
export { default as CurlImport } from './CurlImport.vue'
export { default as TemplateGallery } from './TemplateGallery.vue'
