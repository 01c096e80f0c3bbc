// Reads what we make with arweave-js and arbundles, and exchanges blobs with our client through our
// strict gateway: each reads what the other wrote.
//
//   check.mjs SAMPLE_PROGRAM GATEWAY_URL JWK_FILE SCRATCH_FOLDER
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

import { Bundle, DataItem } from '@dha-team/arbundles';
import Arweave from 'arweave';
import { validatePath } from 'arweave/node/lib/merkle.js';
import Transaction from 'arweave/node/lib/transaction.js';

import { exchange } from './exchange.mjs';

const [program, url, jwkFile, scratch] = process.argv.slice(2);
const arweave = Arweave.init({});
const bytes = (text) => Buffer.from(text, 'base64url');

const made = spawnSync(program, ['make', jwkFile], { maxBuffer: 1 << 28 });
assert.equal(made.status, 0, String(made.stderr));
const sample = JSON.parse(made.stdout);

// Transactions: signature, data root, and the proof of every chunk.
for (const { tx, data, chunks } of sample.transactions) {
  const read = arweave.transactions.fromRaw(tx);
  assert.ok(await arweave.transactions.verify(read), `transaction of ${tx.data_size} bytes`);
  const root = new Transaction.default({ format: 2, data_size: String(bytes(data).length) });
  await root.prepareChunks(new Uint8Array(bytes(data)));
  assert.equal(root.data_root, tx.data_root);
  assert.equal(root.chunks.chunks.length, chunks.length);
  for (const chunk of chunks) {
    const found = await validatePath(bytes(tx.data_root), chunk.offset, 0, Number(tx.data_size),
      bytes(chunk.data_path));
    assert.ok(found, `chunk at ${chunk.begin}`);
    assert.equal(found.leftBound, chunk.begin);
    assert.equal(found.rightBound, chunk.end);
  }
  tx.reward = '65597';
  console.warn = () => {};  // what follows is expected to fail
  const dearer = arweave.transactions.fromRaw(tx);
  assert.ok(!(await arweave.transactions.verify(dearer).catch(() => false)));
}

// Data items of the three signature types.
for (const { id, type, raw, data } of sample.items) {
  const item = new DataItem(bytes(raw));
  assert.equal(item.signatureType, type);
  assert.ok(await item.isValid(), `data item of type ${type}`);
  assert.equal(item.id, id);
  assert.deepEqual(item.rawData, bytes(data));
  const changed = bytes(raw);
  changed[changed.length - 1] ^= 1;
  assert.ok(!(await new DataItem(changed).isValid().catch(() => false)), `changed item ${type}`);
}
const bundle = new Bundle(bytes(sample.bundle));
assert.ok(await bundle.verify());
assert.deepEqual(bundle.items.map((item) => item.id), sample.items.map((item) => item.id));

await exchange({
  program, url, jwkFile, scratch,
  sizes: [1, 262144, 600000], schemes: ['ed25519', 'ecdsa', 'none'],
});
const { transactions, items } = sample;
console.log(`${transactions.length} transactions, ${items.length} data items, both ways`);
