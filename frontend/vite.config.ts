import { fileURLToPath, URL } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import vueI18n from '@intlify/unplugin-vue-i18n/vite'
import { defineConfig } from 'vitest/config'

const api = process.env.ORQ_API ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [
    vue(),
    tailwindcss(),
    // Messages become functions at build time: the content security policy allows no code from strings.
    vueI18n({
      include: [fileURLToPath(new URL('./src/shared/i18n/locales/*.json', import.meta.url))],
      strictMessage: false,
    }),
  ],
  define: {
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __INTLIFY_JIT_COMPILATION__: true,
    __INTLIFY_DROP_MESSAGE_COMPILER__: true,
  },
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What many pages use comes in a few files: each file costs about 600 bytes of headers over the wire.
        codeSplitting: {
          groups: [
            { name: 'vue', test: /node_modules[\\/](@?vue|@?pinia|@intlify|openapi-fetch)/ },
            { name: 'icons', test: /[\\/]@lucide[\\/]/, minShareCount: 3 },
            {
              name: 'shared',
              test: /[\\/]src[\\/]shared[\\/](?!i18n[\\/]locales|lib[\\/](source|yaml|diff|dates|definition-text)|ui[\\/](UiDialog|UiMenu|PreferenceItems|DateList|SavedViewsMenu))/,
              minShareCount: 3,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': { target: api },
      '/monitoring': { target: api },
      '/docs': { target: api },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.spec.ts'],
    globals: false,
  },
})
