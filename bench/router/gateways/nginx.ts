import { mkdirSync, writeFileSync } from 'node:fs';
import { installedVersion } from '../install/installed.js';
import { freePort, startChild } from '../machine/child.js';
import { inBench, MODEL, STABLE_SHARE } from '../settings.js';
import type { Gateway, UpstreamPorts } from './gateway.js';

/** Sticky by a header; it does not look into bodies. */
export const nginx: Gateway = {
  name: 'nginx',
  title: 'nginx',
  version: () => installedVersion('nginx'),
  async start({ upstreams, pinning }) {
    const port = await freePort();
    const directory = inBench('nginx', 'run');
    mkdirSync(directory, { recursive: true });
    const file = inBench('nginx', 'nginx.conf');
    writeFileSync(file, configuration(port, upstreams));
    const program = inBench('nginx', 'usr', 'sbin', 'nginx');
    const child = startChild(pinning.command('gateway', [program, '-p', directory, '-e', 'stderr', '-c', file]));
    return {
      targets: [{ name: 'nginx', title: 'nginx', port, model: MODEL, headers: {}, process: child.process }],
      stop: child.stop,
    };
  },
};

function configuration(port: number, { stable, candidate }: UpstreamPorts): string {
  // A worker of root's would become `nobody`, which may not write here.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`);
  return `${user}
daemon off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 8192; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  client_body_buffer_size 128k;
  keepalive_requests 1000000;
  upstream stable { server 127.0.0.1:${stable}; keepalive 128; keepalive_requests 1000000; }
  upstream candidate { server 127.0.0.1:${candidate}; keepalive 128; keepalive_requests 1000000; }
  split_clients "$http_x_user_id" $variant { ${STABLE_SHARE * 100}% stable; * candidate; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://$variant;
      proxy_http_version 1.1;
      proxy_set_header connection "";
      proxy_buffering off;
      proxy_read_timeout 3600s;
    }
  }
}
`;
}
