/** A whole configuration file with notes; stands in the reference page, and a test loads it. */
export const EXAMPLE = `# yaml-language-server: $schema=../schema/drp.schema.json
server:
  address: 0.0.0.0:5000
  publicUrl: https://docker.example.com    # else from the Host that the client asks
  trustedProxies: [10.0.0.0/8]             # only these may set X-Forwarded-*
  adminAddress: 127.0.0.1:9090             # /metrics /healthz /readyz
  tls: { certificateFile: tls.crt, keyFile: tls.key }

upstreams:
  hub:
    url: https://registry-1.docker.io
    credentials: { type: static, username: acme, passwordFile: /run/secrets/hub }
  quay:
    url: https://quay.io
    credentials: { type: static, username: acme+robot, password: "\${QUAY_PASSWORD}" }
  github:
    url: https://ghcr.io
    credentials: { type: docker-config, file: config.json }    # as \`docker login\` writes it
  airgap:
    layout: ./images                       # an OCI image layout on disk is an upstream too

routes:                                    # the first match wins; no match is NAME_UNKNOWN, never a guess
  - { match: { path: quay }, upstream: quay }                  # docker.example.com/quay/acme/app
  - { match: { path: airgap }, upstream: airgap }
  - { match: { namespace: docker.io }, upstream: hub }         # containerd mirror: ?ns=docker.io
  - { match: { host: docker.example.com }, upstream: github, repository: "acme/{name}" }

authentication:
  anonymous: false
  verifiers:                               # asked in order; \`username\` picks one outright
    - { name: local, type: htpasswd, file: users.htpasswd }

authorization:
  rules:                                   # default deny; any rule that grants, grants
    - { name: staff pulls, when: 'identity.verifier == "local"', repositories: ["**"], actions: [pull] }
    - { name: ada pushes, when: 'identity.name == "ada"', repositories: ["platform/**"], actions: [push, delete] }

tokens: { lifetime: 5m, signingKeyFile: ./data/signing-key.json }    # made on first start
cache: { type: none }
state: { type: embedded, directory: ./data }
log: { level: info }
`;
