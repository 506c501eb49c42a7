/** A place in the spool of one process, for one rollout. Opaque outside. */
export interface EvidenceCursor {
  readonly process: string;
  readonly sequence: number;
  readonly rollout: string;
}

export function encodeCursor(cursor: EvidenceCursor): string {
  return Buffer.from(`${cursor.process} ${cursor.sequence} ${cursor.rollout}`).toString('base64url');
}

/** null for anything that no router wrote. */
export function decodeCursor(text: string): EvidenceCursor | null {
  const match = /^(\S+) (\d{1,15}) (\S+)$/.exec(Buffer.from(text, 'base64url').toString());
  const [, process, sequence, rollout] = match ?? [];
  if (process === undefined || sequence === undefined || rollout === undefined) return null;
  return { process, sequence: Number(sequence), rollout };
}
