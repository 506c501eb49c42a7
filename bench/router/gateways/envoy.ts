import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { installedVersion } from '../install/installed.js';
import { freePort, startChild } from '../machine/child.js';
import { inBench, MODEL, STABLE_SHARE } from '../settings.js';
import type { Gateway, UpstreamPorts } from './gateway.js';

/** Weighted by request; it does not look into bodies. */
export const envoy: Gateway = {
  name: 'envoy',
  title: 'Envoy',
  version: () => installedVersion('envoy'),
  async start({ upstreams, pinning }) {
    const port = await freePort();
    const file = inBench('envoy', 'envoy.yaml');
    writeFileSync(file, stringify(configuration(port, upstreams)));
    const program = inBench('envoy', 'envoy', '_bin', 'envoy');
    const flags = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'];
    const child = startChild(pinning.command('gateway', [program, '-c', file, ...flags]));
    return {
      targets: [{ name: 'envoy', title: 'Envoy', port, model: MODEL, headers: {}, process: child.process }],
      stop: child.stop,
    };
  },
};

function configuration(port: number, { stable, candidate }: UpstreamPorts): unknown {
  const weight = Math.round(STABLE_SHARE * 100);
  const address = (value: number) => ({ socket_address: { address: '127.0.0.1', port_value: value } });
  // The defaults would refuse the 1,025th stream.
  const thresholds = [{ max_connections: 8192, max_pending_requests: 8192, max_requests: 8192 }];
  const cluster = (name: string, value: number) => ({
    name,
    type: 'STATIC',
    circuit_breakers: { thresholds },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(value) } }] }],
    },
  });
  const clusters = [
    { name: 'stable', weight },
    { name: 'candidate', weight: 100 - weight },
  ];
  const route = {
    match: { prefix: '/' },
    route: { timeout: '0s', weighted_clusters: { clusters, runtime_key_prefix: 'llm.split' } },
  };
  const type = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'public',
    stream_idle_timeout: '0s',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': type } }],
  };
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  return {
    static_resources: {
      listeners: [{ name: 'public', address: address(port), filter_chains: [{ filters }] }],
      clusters: [cluster('stable', stable), cluster('candidate', candidate)],
    },
  };
}
