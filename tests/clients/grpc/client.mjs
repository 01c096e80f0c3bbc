// A client that shares no code with this repository: it learns the services by reflection alone,
// and makes its transfer with @polkadot's libraries from the chain's metadata. Reads the chain,
// pays Bob from Alice (ecdsa, mortal), and looks for the payment in the chain.
//
//   node client.mjs HOST:PORT
import assert from 'node:assert/strict';

import grpc from '@grpc/grpc-js';
import { Keyring } from '@polkadot/keyring';
import { Metadata, TypeRegistry, expandMetadata } from '@polkadot/types';
import { hexToU8a, u8aToHex } from '@polkadot/util';
import { blake2AsU8a, cryptoWaitReady } from '@polkadot/util-crypto';
import reflection from 'grpc-js-reflection-client';

const address = process.argv[2];
const credentials = grpc.credentials.createInsecure();
const AMOUNT = 1_250_000n;
const DEADLINE_MS = 30_000;

// Every service of the package, as a promise-returning client.
async function discover() {
  const source = new reflection.GrpcReflection(address, credentials, {}, 'v1alpha');
  const names = (await source.listServices()).filter((name) => name.startsWith('tallystick.'));
  const clients = {};
  for (const name of names) {
    const descriptor = await source.getDescriptorBySymbol(name);
    const root = descriptor.getPackageObject({
      keepCase: true, longs: String, defaults: true, oneofs: true,
    });
    const Service = name.split('.').reduce((level, part) => level[part], root);
    clients[name] = new Service(address, credentials);
  }
  return { names, clients };
}

function call(client, method, request = {}) {
  return new Promise((resolve, reject) => {
    client[method](request, { deadline: Date.now() + DEADLINE_MS },
      (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

function collect(stream) {
  return new Promise((resolve, reject) => {
    const messages = [];
    stream.on('data', (message) => messages.push(message));
    stream.on('error', reject);
    stream.on('end', () => resolve(messages));
  });
}

function health() {
  const method = (name) => `/grpc.health.v1.Health/${name}`;
  const client = new grpc.Client(address, credentials);
  return new Promise((resolve, reject) => {
    // HealthCheckRequest without a service is empty; the response's field 1 is the status, 1 =
    // serving.
    client.makeUnaryRequest(method('Check'), () => Buffer.alloc(0), (bytes) => bytes, null,
      { deadline: Date.now() + DEADLINE_MS },
      (error, bytes) => (error ? reject(error) : resolve([...bytes])));
  });
}

await cryptoWaitReady();
const { names, clients } = await discover();
assert.deepEqual(names.sort(), ['Author', 'Chain', 'Channels', 'Node', 'State'].map(
  (name) => `tallystick.v1.${name}`));
const chain = clients['tallystick.v1.Chain'];
const state = clients['tallystick.v1.State'];
const author = clients['tallystick.v1.Author'];
assert.deepEqual(await health(), [8, 1]);

// The chain: a header hashes to its block's hash.
const info = await call(chain, 'GetInfo');
const head = await call(chain, 'GetHeader');
assert.deepEqual(Buffer.from(blake2AsU8a(head.scale, 256)), Buffer.from(head.block.hash));
const genesis = await call(chain, 'GetHeader', { at: { number: 0 } });
assert.deepEqual(Buffer.from(genesis.block.hash), Buffer.from(info.genesis_hash));

// An error says its code.
const missing = await call(chain, 'GetHeader', { at: { number: 4_000_000_000 } }).then(
  () => assert.fail('a block of the future was served'), (error) => error);
assert.equal(missing.code, grpc.status.NOT_FOUND);
assert.deepEqual(missing.metadata.get('tally-code'), ['not_found']);

// The transfer, made by the wallet library.
const registry = new TypeRegistry();
const blob = await call(state, 'GetMetadata');
const metadata = new Metadata(registry, u8aToHex(blob.scale));
registry.setMetadata(metadata);
const { tx } = expandMetadata(registry, metadata);
const keyring = new Keyring({ type: 'ecdsa', ss58Format: 42 });
const alice = keyring.addFromUri('//Alice');
const bob = keyring.addFromUri('//Bob');

const accountOf = (pair) => call(state, 'GetAccount', { account: Buffer.from(pair.addressRaw) });
const [before, { nonce }] = [
  await accountOf(bob),
  await call(author, 'GetNextNonce', { account: Buffer.from(alice.addressRaw) }),
];
const method = tx.credits.transfer({ Id: bob.address }, AMOUNT);
assert.deepEqual([...method.callIndex], [1, 0]);
const runtimeVersion = {
  specVersion: info.spec_version, transactionVersion: info.transaction_version,
};
const signed = (pair, options = {}) => registry.createType('Extrinsic', { method }, { version: 4 })
  .sign(pair, {
    blockHash: head.block.hash,
    era: registry.createType('ExtrinsicEra', { current: head.block.number, period: 64 }),
    genesisHash: info.genesis_hash,
    nonce,
    runtimeVersion,
    signedExtensions: registry.signedExtensions,
    tip: 0,
    ...options,
  }).toU8a();

// What a node must refuse: another chain's signature, and a scheme that it does not have.
async function refusal(bytes) {
  const [status] = await collect(author.SubmitAndWatch({ extrinsic: Buffer.from(bytes) }));
  assert.equal(status.status, 'rejected');
  return status.rejected.code;
}
assert.equal(await refusal(signed(alice, { genesisHash: Buffer.alloc(32, 7) })), 'bad_signature');
const foreign = new Keyring({ type: 'sr25519', ss58Format: 42 }).addFromUri('//Alice');
assert.equal(await refusal(signed(foreign)), 'unsupported_scheme');
assert.equal(await refusal(hexToU8a('0x0102030405')), 'malformed');

const bytes = Buffer.from(signed(alice));
const statuses = await collect(author.SubmitAndWatch({ extrinsic: bytes }));
const last = statuses[statuses.length - 1];
assert.equal(last.status, 'finalized', JSON.stringify(last));
assert.deepEqual(Buffer.from(last.extrinsic_hash), Buffer.from(blake2AsU8a(bytes, 256)));

// It is in that block, it took effect, and the event says so.
const block = await call(chain, 'GetBlock', { at: { hash: last.finalized.block.hash } });
assert.ok(bytes.equals(Buffer.from(block.extrinsics[last.finalized.index])));
const events = await call(chain, 'GetEvents', { at: { hash: last.finalized.block.hash } });
const transfer = events.events.find(
  (event) => event.name === 'Transfer' && event.extrinsic_index === last.finalized.index);
assert.equal(JSON.parse(transfer.json).to, bob.address);
assert.equal(JSON.parse(transfer.json).amount, AMOUNT.toString());
const after = await accountOf(bob);
assert.equal(BigInt(after.free_micro) - BigInt(before.free_micro), AMOUNT);

// The same extrinsic again is refused, and one with a used nonce too.
assert.equal(await refusal(signed(alice, { tip: 1 })), 'stale_nonce');

console.log(`ok: ${names.length} services by reflection, a transfer final in block ` +
  `${last.finalized.block.number}`);
for (const client of Object.values(clients)) client.close();
process.exit(0);
