/** Where the configuration lies on a node. */
export const DEFAULT_CONFIG = '/etc/drp/image-service.yaml';
