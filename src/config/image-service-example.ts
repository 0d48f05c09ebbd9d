/** A whole configuration file of the image service; stands in its reference page, and a test loads it. */
export const IMAGE_SERVICE_EXAMPLE = `# yaml-language-server: $schema=../schema/drp-image-service.schema.json
socket: /run/drp/image-service.sock          # kubelet: --image-service-endpoint=unix:///run/drp/image-service.sock
backend: { type: cri, socket: /run/containerd/containerd.sock }   # or { type: docker }

credentials:                                 # the longest pattern that matches an image decides
  - images: ["docker.example.com/**"]
    provider: { type: static, username: nodes, passwordFile: /etc/drp/nodes-password }
    order: provider-first                    # or kubelet-first (the default), provider-only
  - images: ["docker.example.com/public/**"]
    provider: { type: anonymous }

adminAddress: 127.0.0.1:9095                 # /metrics /healthz /readyz
log: { level: info }
`;
