import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readZipEntry } from '../../scripts/setup/unzip.mjs';

describe('readZipEntry', () => {
  const program = Buffer.from('#!/bin/sh\n'.repeat(100));
  const archive = zip([
    { name: 'tool-1.0.data/scripts/tool', content: program, deflate: true },
    { name: 'tool-1.0.dist-info/METADATA', content: Buffer.from('Name: tool'), deflate: false },
  ]);

  it('reads a deflated and a stored file by the end of their path', () => {
    expect(readZipEntry(archive, '.data/scripts/tool')).toEqual(program);
    expect(readZipEntry(archive, 'METADATA').toString()).toBe('Name: tool');
  });

  it('says what is missing', () => {
    expect(() => readZipEntry(archive, '.data/scripts/other')).toThrow('the archive holds no .data/scripts/other');
    expect(() => readZipEntry(Buffer.from('<html>'), 'tool')).toThrow('not a zip archive');
  });
});

interface Entry {
  readonly name: string;
  readonly content: Buffer;
  readonly deflate: boolean;
}

/** The least of the format that the reader looks at; the local header has an extra field, as real wheels do. */
function zip(entries: readonly Entry[]): Buffer {
  const extra = Buffer.alloc(9);
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, deflate } of entries) {
    const packed = deflate ? deflateRawSync(content) : content;
    const local = Buffer.alloc(30);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(extra.length, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(deflate ? 8 : 0, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), extra, packed);
    directory.push(entry, Buffer.from(name));
    offset += local.length + name.length + extra.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}
