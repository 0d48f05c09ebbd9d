/** Of the instance's and the container's metadata, which answer at once or not at all. */
export const METADATA_TIMEOUT_MS = 1_000;

/** For every client of the SDK: it has no time-outs of its own. */
export const AWS_REQUEST_HANDLER = {
  connectionTimeout: 3_000,
  requestTimeout: 10_000,
  throwOnRequestTimeout: true,
} as const;

export const AWS_MAXIMUM_ATTEMPTS = 3;
