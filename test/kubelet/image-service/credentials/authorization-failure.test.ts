import { describe, expect, it } from 'vitest';
import { isAuthorizationFailure } from '../../../../src/kubelet/image-service/credentials/index.ts';
import { ImageServiceError, STATUS, type StatusCode } from '../../../../src/kubelet/image-service/errors.ts';

const IMAGE = 'docker.example.com/team/app:v1';

function isFailure(message: string, code: StatusCode = STATUS.UNKNOWN, image = IMAGE): boolean {
  return isAuthorizationFailure(new ImageServiceError(code, message), image);
}

describe('it is about authorisation', () => {
  it.each([
    // Docker Engine
    'unauthorized: authentication required',
    'unauthorized: incorrect username or password',
    'Head "https://docker.example.com/v2/team/app/manifests/v1": unauthorized: authentication required',
    'Head "https://docker.example.com/v2/team/app/manifests/v1": no basic auth credentials',
    'Head "http://127.0.0.1:5000/v2/team/app/manifests/v1": unauthorized: a login is needed',
    "pull access denied for docker.example.com/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    "pull access denied for team/app, repository does not exist or may require 'docker login'",
    'denied: requested access to the resource is denied',
    'denied: access forbidden',
    'denied: permission_denied: read_package',
    'error parsing HTTP 403 response body: invalid character',
    'error parsing HTTP 401 response body: unexpected end of JSON input: ""',
    'received unexpected HTTP status: 403 Forbidden',
    'denied: Your authorization token has expired. Reauthenticate and try again.',
    "unauthorized: You don't have the needed permissions to perform this operation, and you may have invalid credentials.",
    'denied: Permission "artifactregistry.repositories.downloadArtifacts" denied on resource',
    'denied: User: arn:aws:sts::1:assumed-role/x is not authorized to perform: ecr:BatchGetImage',
    'unknown: Access denied.',
    // containerd
    'failed to pull and unpack image "docker.example.com/team/app:v1": failed to resolve reference "docker.example.com/team/app:v1": failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized',
    'failed to resolve reference "docker.example.com/team/app:v1": docker.example.com/team/app:v1: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    'failed to resolve reference "x": pulling from host docker.example.com failed with status code [manifests v1]: 401 Unauthorized',
    'failed to resolve reference "x": unexpected status code [manifests v1]: 403 Forbidden',
    'failed to resolve reference "x": unexpected status from HEAD request to https://docker.example.com/v2/team/app/manifests/v1: 403 Forbidden',
    'failed to resolve reference "x": authorization failed: no basic auth credentials',
    // CRI-O
    'reading manifest v1 in docker.example.com/team/app: unauthorized: authentication required',
    'unable to retrieve auth token: invalid username/password: unauthorized: incorrect username or password',
    'Requesting bearer token: invalid status code from registry 403 (Forbidden)',
    'reading manifest v1 in docker.io/team/app: errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required\n',
  ])('%s', (message) => {
    expect(isFailure(message)).toBe(true);
    expect(isFailure(message, STATUS.NOT_FOUND)).toBe(true);
  });

  it.each([STATUS.UNAUTHENTICATED, STATUS.PERMISSION_DENIED])('code %i, whatever the words', (code) => {
    expect(isFailure('no', code)).toBe(true);
  });
});

describe('it is not', () => {
  it.each([
    'manifest for docker.example.com/team/app:v1 not found: manifest unknown: manifest unknown',
    'manifest unknown',
    'toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit',
    'Get "https://docker.example.com/v2/": dial tcp 10.0.0.1:443: connect: connection refused',
    'Get "https://docker.example.com/v2/": x509: certificate signed by unknown authority',
    'RegistryUnavailable: received unexpected HTTP status: 503 Service Unavailable',
    'dial unix /run/containerd/containerd.sock: connect: permission denied',
    'failed to extract layer: open /var/lib/containerd/x: permission denied',
    'failed to extract layer sha256:403401: no space left on device',
    'write /var/lib/docker/tmp/GetImageBlob401: no space left on device',
    'context canceled',
    'remote error: tls: access denied',
    '',
  ])('%s', (message) => {
    expect(isFailure(message)).toBe(false);
  });

  it.each([
    ['docker.example.com/unauthorized:v1', 'manifest for docker.example.com/unauthorized:v1 not found'],
    ['docker.example.com/http/401:403', 'docker.example.com/http/401:403: not found'],
    [
      'docker.example.com/x/denied:unauthorized',
      'manifest for x/denied:unauthorized not found: Get "https://docker.example.com/v2/x/denied/manifests/unauthorized": EOF',
    ],
  ])('because of what the image %s is called', (image, message) => {
    expect(isFailure(message, STATUS.UNKNOWN, image)).toBe(false);
  });

  it.each([STATUS.CANCELLED, STATUS.DEADLINE_EXCEEDED])('code %i, whatever the words', (code) => {
    expect(isFailure('unauthorized: authentication required', code)).toBe(false);
  });
});
