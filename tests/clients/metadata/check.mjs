// Reads our metadata with @polkadot/types and holds what it decodes and encodes against ours.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Metadata, TypeRegistry, expandMetadata } from '@polkadot/types';
import { compactStripLength, hexToU8a, u8aToHex } from '@polkadot/util';

const sample = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const warnings = [];
console.warn = console.error = (...text) => warnings.push(text.join(' '));

const registry = new TypeRegistry();
const metadata = new Metadata(registry, sample.metadata);
registry.setMetadata(metadata);
const { consts, query, tx } = expandMetadata(registry, metadata);
assert.equal(metadata.version, 14);
assert.deepEqual(registry.signedExtensions, [
  'CheckNonZeroSender', 'CheckSpecVersion', 'CheckTxVersion', 'CheckGenesis', 'CheckMortality',
  'CheckNonce', 'CheckWeight', 'ChargeTransactionPayment']);

// Every type of the registry can be made.
for (const { id } of metadata.asLatest.lookup.types) {
  const type = registry.createLookupType(id);
  assert.ok(registry.createClass(type), `type ${id}`);
}

// Constants.
assert.equal(consts.system.blockHashCount.toNumber(), 4096);
assert.equal(consts.system.ss58Prefix.toNumber(), 42);
assert.equal(consts.system.version.specName.toString(), 'tallystick');
assert.equal(consts.system.version.specVersion.toNumber(), sample.spec_version);
assert.equal(consts.timestamp.minimumPeriod.toNumber(), 50);

// A call, made by the client and by us.
const call = tx.credits.transfer({ Id: sample.eve }, 5_000_000);
assert.equal(call.toHex(), sample.call);
for (const name of ['transferAll', 'issueDebt', 'settleDebt', 'forgiveDebt']) {
  assert.ok(tx.credits[name], name);
}
for (const name of ['open', 'close', 'refute', 'splice', 'settle']) {
  assert.ok(tx.channels[name], name);
}

// Our extrinsic, read by the client.
const extrinsic = registry.createType('Extrinsic', hexToU8a(sample.extrinsic));
assert.equal(extrinsic.toHex(), sample.extrinsic);
assert.equal(extrinsic.method.section, 'credits');
assert.equal(extrinsic.method.method, 'transfer');
assert.equal(extrinsic.method.args[0].toString(), sample.eve);
assert.equal(extrinsic.method.args[1].toString(), '5000000');
assert.equal(extrinsic.signer.toString(), sample.bob);
assert.equal(extrinsic.tip.toString(), '7');
assert.equal(extrinsic.era.asMortalEra.period.toNumber(), 64);

// What the client would sign.
const payload = registry.createType('ExtrinsicPayload', {
  method: call.toHex(),
  era: registry.createType('ExtrinsicEra', { current: sample.current, period: 64 }).toHex(),
  nonce: 0,
  tip: 7,
  specVersion: sample.spec_version,
  transactionVersion: sample.transaction_version,
  genesisHash: sample.genesis_hash,
  blockHash: sample.birth_block_hash,
}, { version: 4 });
assert.equal(u8aToHex(payload.toU8a({ method: true })), sample.payload);

// Storage: keys and values.
const keyOf = (entry, ...keys) => u8aToHex(compactStripLength(entry(...keys))[1]);
assert.equal(keyOf(query.system.account, sample.bob), sample.account_key);
assert.equal(keyOf(query.system.events), sample.events_key);
const account = registry.createType('FrameSystemAccountInfo', hexToU8a(sample.account));
assert.equal(account.toHex(), sample.account);
assert.equal(account.nonce.toNumber(), 1);
assert.equal(account.providers.toNumber(), 1);
assert.equal(account.data.free.toString(), sample.free);

// Events.
const events = registry.createType('Vec<FrameSystemEventRecord>', hexToU8a(sample.events));
assert.equal(events.toHex(), sample.events);
assert.deepEqual(events.map(({ event }) => `${event.section}.${event.method}`),
  ['credits.FeePaid', 'credits.Transfer', 'system.ExtrinsicSuccess']);
assert.ok(events.every(({ phase }) => phase.asApplyExtrinsic.toNumber() === 0));
assert.equal(events[0].event.data.fee.toString(), sample.fee);
assert.equal(events[2].event.data[0].class.toString(), 'Normal');

assert.deepEqual(warnings, []);
console.log(`${metadata.asLatest.lookup.types.length} types, all read`);
