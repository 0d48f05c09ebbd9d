import { create, toBinary } from '@bufbuild/protobuf';
import {
  ImageStatusResponseSchema,
  ListImagesResponseSchema,
} from '../src/kubelet/image-service/gen/runtime/v1/image_pb.ts';
import { startFakeRuntime } from '../test/kubelet/image-service/support/runtime.ts';

// A process of its own, as a runtime is, with as many images as its argument says: prints the path of its socket, and answers
// until it is ended.
const count = Number(process.argv[2]);
const images = Array.from({ length: count }, (_, index) => ({
  id: `sha256:${String(index).padStart(64, '0')}`,
  repoTags: [`docker.example.com/team/app-${index}:1`],
  repoDigests: [`docker.example.com/team/app-${index}@sha256:${String(index).padStart(64, 'f')}`],
  size: 1n + BigInt(index),
  username: 'app',
}));
const list = toBinary(ListImagesResponseSchema, create(ListImagesResponseSchema, { images }));
const [image] = images;
const status = toBinary(ImageStatusResponseSchema, create(ImageStatusResponseSchema, image ? { image } : {}));
const runtime = await startFakeRuntime();
runtime.onCall = (call) => {
  runtime.calls.length = 0;
  call.reply([call.path.endsWith('ListImages') ? list : status]);
};
process.stdout.write(`${runtime.socket}\n`);
process.once('SIGTERM', () => void runtime.close().then(() => process.exit()));
