// Blobs both ways through a gateway: what our client stores arweave-js reads, and the other way
// round.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { Bundle } from '@dha-team/arbundles';
import Arweave from 'arweave';

// Bytes that do not compress, the same each time.
export function blobOf(size) {
  const parts = [];
  for (let i = 0; i * 32 < size; ++i) {
    parts.push(createHash('sha256').update(`blob ${size} ${i}`).digest());
  }
  return Buffer.concat(parts).subarray(0, size);
}

function run(program, args, input) {
  const done = spawnSync(program, args, { input, maxBuffer: 1 << 28 });
  assert.equal(done.status, 0, String(done.stderr));
  return done.stdout;
}

// While a program of ours ran, nothing here looked after the connections that are kept open: the
// first use of one that the gateway closed meanwhile fails.
async function retried(ask) {
  return ask().catch(ask);
}

export async function exchange({ program, url, jwkFile, scratch, sizes, schemes }) {
  const { hostname, port } = new URL(url);
  const arweave = Arweave.init({ host: hostname, port: Number(port), protocol: 'http' });
  const jwk = JSON.parse(readFileSync(jwkFile));
  const address = await arweave.wallets.jwkToAddress(jwk);
  await fetch(`${url}/mint/${address}/900000000000000`);
  const mine = () => retried(() => fetch(`${url}/mine`));

  for (const size of sizes) {
    const blob = blobOf(size);
    for (const scheme of schemes) {
      const id = String(run(program, ['put', url, jwkFile, `${scratch}/${scheme}`, scheme], blob));
      await mine();
      const data = Buffer.from(
        await retried(() => arweave.transactions.getData(id, { decode: true })));
      if (scheme === 'none') {
        assert.ok(data.equals(blob), `${size} bytes, ours to arweave-js`);
      } else {
        const bundle = new Bundle(data);
        assert.ok(await bundle.verify());
        assert.equal(bundle.items.length, 1);
        assert.ok(bundle.items[0].rawData.equals(blob), `${size} bytes in a bundle`);
      }
      assert.ok(run(program, ['get', url, id]).equals(blob), `${size} bytes, ours to ours`);
    }
    const other = Buffer.from(blob).reverse();
    const tx = await retried(
      () => arweave.createTransaction({ data: new Uint8Array(other) }, jwk));
    await arweave.transactions.sign(tx, jwk);
    const uploader = await arweave.transactions.getUploader(tx);
    while (!uploader.isComplete) await uploader.uploadChunk();
    await mine();
    assert.ok(run(program, ['get', url, tx.id]).equals(other), `${size} bytes, arweave-js to ours`);
  }
}
