export { cancelUpload } from './cancel-upload.ts';
export { finishUpload } from './finish-upload.ts';
export { sendChunk } from './send-chunk.ts';
export { startUpload } from './start-upload.ts';
export { tellProgress } from './tell-progress.ts';
