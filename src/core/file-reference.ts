/**
 * A file that the configuration names. The loader reads it; the part that owns the option finds the contents
 * here and never opens the path itself, so that a reload sees the file and everything it names as one version.
 */
export class FileReference {
  #contents: Buffer | undefined;
  #path: string;

  /**
   * @param path as written; relative to the configuration file's folder
   * @param required whether a missing file is an error; where not, {@link contents} stays undefined
   */
  constructor(
    path: string,
    readonly required: boolean = true,
  ) {
    this.#path = path;
  }

  /** The absolute path once loaded; before that, the path as written. */
  get path(): string {
    return this.#path;
  }

  /** The bytes as they were when the configuration was loaded. */
  get contents(): Buffer | undefined {
    return this.#contents;
  }

  /** The contents as UTF-8 text. @throws when the file was not loaded or is missing. */
  text(): string {
    if (!this.#contents) throw new Error(`${this.#path} has not been loaded`);
    return this.#contents.toString('utf8');
  }

  /** Called by the loader, once. */
  resolve(absolutePath: string, contents: Buffer | undefined): void {
    this.#path = absolutePath;
    this.#contents = contents;
  }

  /** Only the path: contents may be secret. */
  toJSON(): string {
    return this.#path;
  }
}

/** A folder that the configuration names; the loader makes its path absolute. */
export class FolderReference {
  #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  get path(): string {
    return this.#path;
  }

  resolve(absolutePath: string): void {
    this.#path = absolutePath;
  }

  toJSON(): string {
    return this.#path;
  }
}

/** A folder whose files with one ending the loader reads, as it reads {@link FileReference}s; a reload sees all of them. */
export class FolderFilesReference {
  #path: string;
  #files: ReadonlyMap<string, Buffer> | undefined;

  /** @param ending of the names of the files that are meant, such as `.pem` */
  constructor(
    path: string,
    readonly ending: string,
  ) {
    this.#path = path;
  }

  get path(): string {
    return this.#path;
  }

  /** Contents by name, as they were when the configuration was loaded. @throws when they were not loaded */
  get files(): ReadonlyMap<string, Buffer> {
    if (!this.#files) throw new Error(`${this.#path} has not been loaded`);
    return this.#files;
  }

  /** Called by the loader, once. */
  resolve(absolutePath: string, files: ReadonlyMap<string, Buffer>): void {
    this.#path = absolutePath;
    this.#files = files;
  }

  toJSON(): string {
    return this.#path;
  }
}
