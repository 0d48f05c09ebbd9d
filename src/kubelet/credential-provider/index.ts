export { type AnswerDependencies, answerPlugin } from './answer-plugin.ts';
export { type CredentialFiles, createCredentialFiles } from './credential-files.ts';
export { CredentialProviderError } from './errors.ts';
export { keptAnswer } from './kept-answer.ts';
export { type CredentialProviderOptions, credentialProviderOptions } from './options.ts';
export { readQuestion, readQuestionSync } from './read-question.ts';
export { REQUEST_LIMIT_BYTES } from './request.ts';
