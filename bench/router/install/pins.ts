/** Exact versions of what is measured beside the router: another one is another measurement. */
export const PINS = {
  nginx: '1.22.1',
  haproxy: '2.6.12',
  envoy: '1.40.0',
  portkey: '1.15.2',
  litellm: '1.106.12',
} as const;

export type PeerName = keyof typeof PINS;

/** Without these every streamed request to Portkey 1.15.2 is answered 500 ("TypeError: immutable"). */
export const PORTKEY_OVERRIDES = { '@hono/node-server': '1.13.8', hono: '4.9.7' };
