/** The commented `sluice.yaml` that `sluice up` and the demo write. */

export interface SampleConfigOptions {
  readonly routerPort: number;
  readonly adminPort: number;
  /** Base URLs with version path. */
  readonly stableUrl: string;
  readonly candidateUrl: string;
  /** Models that the two endpoints know. */
  readonly stableModel: string;
  readonly candidateModel: string;
}

/** Text of a `sluice.yaml` with the route `support` in front of two upstreams. */
export function sampleConfig(options: SampleConfigOptions): string {
  const { routerPort, adminPort, stableUrl, candidateUrl, stableModel, candidateModel } = options;
  return `# sluice.yaml belongs to whoever runs the routers: URLs and the names of secrets are here and nowhere else.
# Check it with: sluice validate   Editors complete it with: sluice schema --config

# Where clients send their OpenAI-compatible requests.
listen: 127.0.0.1:${String(routerPort)}

# Where the pipeline moves the split. The token is in the environment variable, never in a file.
admin: { listen: 127.0.0.1:${String(adminPort)}, tokenEnv: SLUICE_ADMIN_TOKEN }

# Every router of these routes; more of them for production, or { dns: NAME, port, tokenEnv }.
fleet:
  - { admin: http://127.0.0.1:${String(adminPort)}, tokenEnv: SLUICE_ADMIN_TOKEN }

# Models that the router may call. A key goes into the environment: apiKeyEnv: OPENAI_API_KEY
upstreams:
  llama-31: { url: ${stableUrl}, model: ${stableModel} }
  llama-32: { url: ${candidateUrl}, model: ${candidateModel} }

# What clients send as "model". Users stay on one variant by x-user-id, else by the body's user field.
routes:
  support: { stable: llama-31, unitHeader: x-user-id }
`;
}
