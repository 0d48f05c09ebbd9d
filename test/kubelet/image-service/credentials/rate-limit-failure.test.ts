import { describe, expect, it } from 'vitest';
import { isRateLimitFailure } from '../../../../src/kubelet/image-service/credentials/rate-limit-failure.ts';
import { ImageServiceError, STATUS } from '../../../../src/kubelet/image-service/errors.ts';

const IMAGE = 'docker.io/acme/app:v1';
const is = (message: string, code: (typeof STATUS)[keyof typeof STATUS] = STATUS.UNKNOWN, image = IMAGE) =>
  isRateLimitFailure(new ImageServiceError(code, message), image);

describe('a rate limit', () => {
  it.each([
    // Docker Engine, and CRI-O after the image's name.
    'toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
    'reading manifest v1 in docker.io/acme/app: too many requests to registry',
    'reading manifest v1 in docker.io/acme/app: toomanyrequests: You have reached your pull rate limit.',
    // containerd.
    'failed to pull and unpack image "docker.io/acme/app:v1": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/acme/app/manifests/v1: 429 Too Many Requests',
  ])('is seen in %j', (message) => {
    expect(is(message)).toBe(true);
  });

  it.each([
    'manifest unknown',
    'unauthorized: authentication required',
    'failed to resolve reference "docker.io/acme/app:v1": unexpected status code 500 Internal Server Error',
  ])('is not seen in %j', (message) => {
    expect(is(message)).toBe(false);
  });

  it("is not seen in an image's name, nor in what the runtime says of itself", () => {
    const image = 'docker.example.com/toomanyrequests/app:v1';
    expect(is(`failed to resolve reference "${image}": not found`, STATUS.NOT_FOUND, image)).toBe(false);
    expect(is('toomanyrequests', STATUS.RESOURCE_EXHAUSTED)).toBe(false);
  });
});
