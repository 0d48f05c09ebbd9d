/** A key set that can't be had or can't be used. The message never quotes what a server answered. */
export class KeySetError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KeySetError';
  }
}
