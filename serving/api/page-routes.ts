import { readFile } from 'node:fs/promises';
import type { App } from './context.ts';

const files = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
] as const;

/** Nothing from elsewhere, nothing inline, no frames: what the page shows came in as events of strangers. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** The page at /: three files of web/, read once. */
export async function pageRoutes(app: App): Promise<void> {
  for (const [url, file, type] of files) {
    const body = await readFile(new URL(`../../web/${file}`, import.meta.url));
    app.get(url, { schema: { hide: true } }, (_request, reply) =>
      reply.headers(headers).header('content-type', type).send(body),
    );
  }
}
