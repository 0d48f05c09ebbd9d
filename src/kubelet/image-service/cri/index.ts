export { createCriBackend } from './create-cri-backend.ts';
