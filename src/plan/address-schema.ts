/** Addresses and URLs of `sluice.yaml`. */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Listen } from './config.js';
import { wanted } from './scalar-schema.js';

const LISTEN = /^(?:\[([^\]]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

/** `127.0.0.1:8700`, `[::1]:8700`, `localhost:0`. */
export function listen(description: string) {
  return z
    .string({ error: wanted('an address such as "127.0.0.1:8700"') })
    .transform((written, context): Listen => {
      const match = LISTEN.exec(written.trim());
      const host = match?.[1] ?? match?.[2];
      const port = Number(match?.[3]);
      if (host !== undefined && port <= 65_535 && (match?.[1] === undefined || isIP(host) === 6)) return { host, port };
      context.issues.push({
        code: 'custom',
        message: 'not an address. Write host and port, such as "127.0.0.1:8700" or "[::1]:8700"',
        input: written,
      });
      return z.NEVER;
    })
    .meta({ description });
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** An http(s) URL without credentials, without a slash at its end. */
export function httpUrl(description: string, example: string) {
  return z
    .string({ error: wanted(`a URL such as "${example}"`) })
    .transform((written, context) => {
      const url = URL.parse(written.trim());
      const why =
        url === null || !/^https?:$/.test(url.protocol)
          ? `not an http or https URL. Write one such as "${example}"`
          : url.username !== '' || url.password !== ''
            ? 'a URL with credentials. Keep secrets in the environment and out of this file'
            : null;
      if (why === null) return written.trim().replace(/\/+$/, '');
      // The value may hold a password: the message stands without it.
      context.issues.push({ code: 'custom', message: why, input: written });
      return z.NEVER;
    })
    .meta({ description });
}
