// Sets theme and language before the first paint. A file of its own because inline scripts are not allowed.
;(function () {
  var theme = 'system'
  var locale = null
  try {
    theme = localStorage.getItem('orq.theme') || 'system'
    locale = localStorage.getItem('orq.locale')
  } catch {
    // Storage may be blocked; the defaults do.
  }
  var dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('dark', dark)
  if (locale !== 'es' && locale !== 'en') locale = /^(es|ca|gl|eu)/i.test(navigator.language) ? 'es' : 'en'
  document.documentElement.lang = locale
})()
