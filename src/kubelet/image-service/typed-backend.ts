import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import type { Backend, UnaryCall } from './backend.ts';
import { ImageServiceError, STATUS } from './errors.ts';
import {
  ImageFsInfoRequestSchema,
  ImageFsInfoResponseSchema,
  ImageStatusRequestSchema,
  ImageStatusResponseSchema,
  ListImagesRequestSchema,
  ListImagesResponseSchema,
  PullImageRequestSchema,
  PullImageResponseSchema,
  RemoveImageRequestSchema,
  RemoveImageResponseSchema,
  StreamImagesRequestSchema,
  StreamImagesResponseSchema,
} from './gen/runtime/v1/image_pb.ts';
import {
  type Answer,
  errorAnswer,
  firstValue,
  frameMessage,
  type IncomingCall,
  type Metadata,
  messageAnswer,
  onlyMessage,
} from './grpc/index.ts';
import type { Call, ImageService } from './image-service.ts';

type Method = (message: Uint8Array, call: Call) => Promise<Uint8Array>;
const STREAM_IMAGES = 'StreamImages';

/** Answers calls with an {@link ImageService}; the messages of both versions of the CRI are the same. */
export function createTypedBackend(type: Backend['type'], service: ImageService): Backend {
  const methods: ReadonlyMap<string, Method> = new Map([
    ['ListImages', method(ListImagesRequestSchema, ListImagesResponseSchema, service.listImages)],
    ['ImageStatus', method(ImageStatusRequestSchema, ImageStatusResponseSchema, service.imageStatus)],
    ['PullImage', method(PullImageRequestSchema, PullImageResponseSchema, service.pullImage)],
    ['RemoveImage', method(RemoveImageRequestSchema, RemoveImageResponseSchema, service.removeImage)],
    ['ImageFsInfo', method(ImageFsInfoRequestSchema, ImageFsInfoResponseSchema, service.imageFsInfo)],
  ]);

  function method<Request extends DescMessage, Response extends DescMessage>(
    request: Request,
    response: Response,
    handle: (request: MessageShape<Request>, call: Call) => Promise<MessageShape<Response>>,
  ): Method {
    return async (message, call) =>
      toBinary(response, await handle.call(service, decode(request, message), call));
  }

  async function unary({ path, metadata, body }: UnaryCall, signal: AbortSignal): Promise<Answer> {
    const found = methods.get(methodOf(path));
    if (!found) return errorAnswer(STATUS.UNIMPLEMENTED, `unknown method ${path}`);
    return messageAnswer(await found(await messageOf(body, metadata), { signal }));
  }

  /** Each image once, in a message of its own. */
  async function streamImages({ path, metadata }: IncomingCall, body: Buffer, signal: AbortSignal) {
    const { filter } = decode(StreamImagesRequestSchema, await messageOf(body, metadata));
    const request = create(ListImagesRequestSchema, filter ? { filter } : {});
    const list = toBinary(ListImagesRequestSchema, request);
    const listPath = path.replace(STREAM_IMAGES, 'ListImages');
    const answer = await unary({ path: listPath, metadata: {}, body: frameMessage(list) }, signal);
    const { images } = decode(ListImagesResponseSchema, await onlyMessage(answer.body, undefined));
    const messages = images.map((image) =>
      frameMessage(
        toBinary(StreamImagesResponseSchema, create(StreamImagesResponseSchema, { images: image })),
      ),
    );
    return { ...answer, body: Buffer.concat(messages) };
  }

  return {
    type,
    unary,
    async pass(call) {
      const body = await call.body();
      const answer =
        call.method === STREAM_IMAGES
          ? await streamImages(call, body, call.signal)
          : await unary({ path: call.path, metadata: call.metadata, body }, call.signal);
      call.answer(answer);
      return answer.code;
    },
    probe: (signal) => service.probe({ signal }),
    close: () => service.close(),
  };
}

function methodOf(path: string): string {
  const [, version, name] = /^\/runtime\.(v1|v1alpha2)\.ImageService\/(\w+)$/.exec(path) ?? [];
  return version === undefined || name === undefined ? '' : name;
}

function messageOf(body: Buffer, metadata: Metadata): Promise<Buffer> {
  return onlyMessage(body, firstValue(metadata, 'grpc-encoding'));
}

function decode<Schema extends DescMessage>(schema: Schema, message: Uint8Array): MessageShape<Schema> {
  try {
    return fromBinary(schema, message);
  } catch (cause) {
    throw new ImageServiceError(STATUS.INTERNAL, `the message is no ${schema.typeName}`, { cause });
  }
}
