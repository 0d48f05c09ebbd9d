import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { imagePattern } from '../credentials/index.ts';

const absolutePath = z.string().refine(isAbsolute, 'expected an absolute path');

/** Images of sandboxes belong to no container of a pod, so kubelet would take them for unused. */
const SANDBOX_IMAGES = [
  'registry.k8s.io/pause',
  'k8s.gcr.io/pause',
  'gke.gcr.io/pause',
  'gcr.io/google_containers/pause',
  '*.dkr.ecr.*.amazonaws.com/eks/pause',
  'mcr.microsoft.com/oss/kubernetes/pause',
];

/** `backend:` of type `docker`. */
export const dockerBackendOptions = z
  .strictObject({
    type: z.literal('docker'),
    socket: absolutePath.default('/var/run/docker.sock').describe("Docker Engine's socket."),
    hostRoot: absolutePath
      .default('/')
      .describe("Where the node's root folder is seen from here; `/` unless this runs in a container."),
    imageDirectory: absolutePath
      .optional()
      .describe(
        'The folder, as the node sees it, whose filesystem holds the images. Docker Engine is asked for it when missing.',
      ),
    pinnedImages: z
      .array(imagePattern)
      .prefault(SANDBOX_IMAGES)
      .describe('Images that kubelet never removes to free space. The well-known pause images when missing.'),
  })
  .describe('Docker Engine 20.10 or later, through its socket.');
export type DockerBackendOptions = z.infer<typeof dockerBackendOptions>;
