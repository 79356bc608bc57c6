import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// Asset paths are relative, so that the built pages work below any path: the server sets <base href>.
export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    target: 'es2022',
    // light-dark() stays as it is: a part of the page can have the other theme.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: { console: 'index.html', portal: 'portal.html' },
      // Few files for what both pages load first.
      output: {
        codeSplitting: {
          groups: [
            { name: 'frame', test: /node_modules.(react|react-dom|scheduler|@tanstack|openapi-)/, priority: 3 },
            {
              name: 'shared',
              test: /src.(design(?!.charts.plot)|api|navigation)|src.i18n.(index|format)/,
              priority: 2,
              minShareCount: 2,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: { '/api': 'http://127.0.0.1:8071' },
    // A test reads the server's list of settings.
    fs: { allow: ['.', '../docs/reference'] },
  },
  test: { environment: 'jsdom', pool: 'threads', isolate: false, include: ['src/**/*.test.{ts,tsx}'] },
});
