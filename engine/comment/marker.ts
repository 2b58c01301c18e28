/**
 * The first line of the comment for a stack, which no forge shows. A name can hold what ends an HTML comment.
 */
export function marker(stack: string): string {
  return `<!-- regwarden: preview of stack ${encodeURIComponent(stack).replaceAll("-", "%2D")} -->`;
}
