/** A registry and a repository, as kubelet looks an image up. */
export function imageKey({
  registry,
  repository,
}: {
  readonly registry: string;
  readonly repository: string;
}): string {
  return `${registry}/${repository}`;
}
