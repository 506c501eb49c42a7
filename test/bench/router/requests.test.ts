import { describe, expect, it } from 'vitest';
import { requestText } from '../../../bench/router/requests.js';

const target = { model: 'support', headers: { 'x-extra': 'yes' } };

describe('requestText', () => {
  it('announces its length in bytes', () => {
    for (const name of ['short', 'long', 'stream', 'first-token', 'idle'] as const) {
      const [head = '', body = ''] = requestText(name, target).split('\r\n\r\n');
      expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
      expect(JSON.parse(body)).toMatchObject({ model: 'support' });
    }
  });

  it('names the user in the body and in a header, for gateways that look into one of them only', () => {
    expect(requestText('short', target).match(/user-@{5}/g)).toHaveLength(2);
    expect(requestText('short', target)).toContain('\r\nx-extra: yes\r\n');
  });

  it('has a long prompt of 32 KB', () => {
    const size = Buffer.byteLength(requestText('long', target));
    expect(size).toBeGreaterThan(32 * 1024);
    expect(size).toBeLessThan(36 * 1024);
  });
});
