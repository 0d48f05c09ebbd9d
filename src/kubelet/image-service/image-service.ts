import type { AuthConfig } from './auth-config.ts';
import type {
  ImageFsInfoRequest,
  ImageFsInfoResponse,
  ImageStatusRequest,
  ImageStatusResponse,
  ListImagesRequest,
  ListImagesResponse,
  PullImageRequest,
  PullImageResponse,
  RemoveImageRequest,
  RemoveImageResponse,
} from './gen/runtime/v1/image_pb.ts';

/** One call of kubelet. */
export interface Call {
  /** Aborted when kubelet has given up, or we have to end. */
  readonly signal: AbortSignal;
}

/**
 * The image service of the Container Runtime Interface, over something that does not speak it itself. Every method
 * rejects with an {@link ImageServiceError}, or with the signal's reason. A runtime that does speak it is passed
 * through by bytes instead.
 */
export interface ImageService {
  listImages(request: ListImagesRequest, call: Call): Promise<ListImagesResponse>;
  /** An image that is not there is an answer without one, never an error. */
  imageStatus(request: ImageStatusRequest, call: Call): Promise<ImageStatusResponse>;
  /** Pulls with exactly the `auth` of the request; {@link PullCredentials} decides which that is. */
  pullImage(request: PullImageRequest, call: Call): Promise<PullImageResponse>;
  removeImage(request: RemoveImageRequest, call: Call): Promise<RemoveImageResponse>;
  imageFsInfo(request: ImageFsInfoRequest, call: Call): Promise<ImageFsInfoResponse>;
  /** Rejects when nobody answers now, whatever was answered before. */
  probe(call: Call): Promise<void>;
  close(): Promise<void>;
}

/** Where the credential of an attempt comes from. */
export type CredentialSource = 'kubelet' | 'provider' | 'none';

/** One try at a pull. */
export interface PullAttempt {
  readonly auth: AuthConfig | undefined;
  readonly source: CredentialSource;
}

/** Decides with which credential an image is pulled, and what is tried next when one is turned away. */
export interface PullCredentials {
  /**
   * Makes attempts in the configured order until one succeeds. A provider's credential that is turned away is
   * replaced once; a provider that fails or takes too long is passed over where the order leaves something else.
   * @param image the reference that kubelet asks for; one that can't be parsed matches no pattern
   * @param shown what kubelet sent along
   * @param attempt rejects with an {@link ImageServiceError}
   * @throws {ImageServiceError} of the last attempt
   */
  pull<T>(
    image: string,
    shown: AuthConfig | undefined,
    attempt: (attempt: PullAttempt) => Promise<T>,
    call: Call,
  ): Promise<T>;
  close(): Promise<void>;
}
