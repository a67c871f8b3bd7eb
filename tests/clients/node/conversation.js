// One conversation with a server; tests/clients/README.md says what about.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const env = process.env;

class Unverified extends Error {}

function check(holds, what) {
  if (!holds) throw new Unverified(what);
}

const sha256 = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts)).digest();
const leafHash = (leaf) => sha256(Buffer.of(0), leaf);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);
const id = (hash) => 'sha256:' + hash.toString('hex');

// RFC 6962 2.1: the root over leaf hashes.
function treeRoot(hashes) {
  if (hashes.length === 1) return hashes[0];
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(treeRoot(hashes.slice(0, split)), treeRoot(hashes.slice(split)));
}

// RFC 9162 2.1.3.2: the root that an audit path leads to. Indexes are BigInt.
function pathRoot(leaf, index, size, siblings) {
  check(index < size, 'the leaf is beyond the tree');
  let [node, last, root] = [index, size - 1n, leaf];
  for (const sibling of siblings) {
    check(last !== 0n, 'the path is too long');
    if (node & 1n || node === last) {
      root = nodeHash(sibling, root);
      while (node !== 0n && !(node & 1n)) [node, last] = [node >> 1n, last >> 1n];
    } else {
      root = nodeHash(root, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  check(last === 0n, 'the path is too short');
  return root;
}

// C2SP signed-note and tlog-checkpoint: the size and root that the log's key signed.
function openCheckpoint(note, vkey) {
  const [, name, encoded] = /^([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(vkey);
  const key = Buffer.from(encoded, 'base64');
  check(key[0] === 1, 'not an Ed25519 key');
  const identity = sha256(Buffer.from(name + '\n'), key).subarray(0, 4);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.subarray(1).toString('base64url') };
  const publicKey = crypto.createPublicKey({ key: jwk, format: 'jwk' });
  const end = note.lastIndexOf('\n\n');
  const text = note.subarray(0, end + 1);
  for (const line of note.subarray(end + 2).toString().trimEnd().split('\n')) {
    const [, signer, encodedSignature] = line.split(' ');
    const signature = Buffer.from(encodedSignature, 'base64');
    if (signer !== name || !signature.subarray(0, 4).equals(identity)) continue;
    const good = crypto.verify(null, text, publicKey, signature.subarray(4));
    check(good, "the checkpoint's signature");
    const [, size, root] = text.toString().split('\n');
    return { size: BigInt(size), root: Buffer.from(root, 'base64') };
  }
  throw new Unverified('the log did not sign the checkpoint');
}

// DSSE: the statement that the signing key signed.
function openEnvelope(bytes, key) {
  const envelope = JSON.parse(bytes);
  const body = Buffer.from(envelope.payload, 'base64');
  const kind = envelope.payloadType;
  const head = `DSSEv1 ${Buffer.byteLength(kind)} ${kind} ${body.length} `;
  const signed = Buffer.concat([Buffer.from(head), body]);
  const good = envelope.signatures.some((signature) =>
    crypto.verify(null, signed, key, Buffer.from(signature.sig, 'base64')));
  check(good, 'nobody we trust signed the envelope');
  return JSON.parse(body);
}

function flipped(bytes, at) {
  const broken = Buffer.from(bytes);
  broken[at] ^= 1;
  return broken;
}

function mustFail(what, attempt) {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Unverified) return;
    throw error;
  }
  throw new Error(`${what} was accepted`);
}

const packages = loader.loadSync(
  ['stella/ledger/v1/ledger.proto', 'stella/ledger/v1/event.proto', 'stella/proof/v1/proof.proto',
    'stella/scan/v1/scan.proto', 'stella/score/v1/score.proto', 'stella/snapshot/v1/snapshot.proto',
    'details.proto'],
  { includeDirs: [env.STELLA_PROTO, __dirname], keepCase: true, longs: String, enums: String, defaults: true });
const { stella } = grpc.loadPackageDefinition(packages);

// The type of a loaded message, to decode what comes inside of other messages.
const decode = (name, bytes) => packages[name].deserialize(bytes);

// The reason in the ErrorInfo of a refused call.
async function refusal(call) {
  const error = await call.then(() => { throw new Error('the call was not refused'); }, (e) => e);
  const [bytes] = error.metadata ? error.metadata.get('grpc-status-details-bin') : [];
  if (!bytes) throw error;
  for (const detail of decode('details.Status', bytes).details) {
    if (detail.type_url !== 'type.googleapis.com/google.rpc.ErrorInfo') continue;
    const info = decode('details.ErrorInfo', detail.value);
    if (info.domain === 'stella') return info.reason;
  }
  throw error;
}

const credentials = grpc.credentials.createInsecure();
const token = new grpc.Metadata();
token.set('authorization', `Bearer ${env.STELLA_TOKEN}`);
const nobody = new grpc.Metadata();

const unary = (client, method, request, metadata = nobody) =>
  new Promise((resolve, reject) => {
    client[method](request, metadata, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

async function importFeed(snapshots) {
  const answered = new Promise((resolve, reject) => {
    const call = snapshots.ImportSnapshot(token, (error, answer) => (error ? reject(error) : resolve(answer)));
    call.write({ header: { kind: 'SNAPSHOT_KIND_CONCELIER', publish: true } });
    for (const name of fs.readdirSync(env.STELLA_FEED).sort()) {
      call.write({ file: { name } });
      call.write({ chunk: fs.readFileSync(path.join(env.STELLA_FEED, name)) });
    }
    call.end();
  });
  return (await answered).snapshot;
}

async function events(stream) {
  const all = [];
  for await (const answer of stream) all.push(...answer.events);
  return all;
}

async function main() {
  const connect = (Service) => new Service(env.STELLA_ADDRESS, credentials);
  const ledger = connect(stella.ledger.v1.LedgerService);
  const proofs = connect(stella.proof.v1.ProofService);
  const scans = connect(stella.scan.v1.ScanService);
  const scores = connect(stella.score.v1.ScoreService);
  const snapshots = connect(stella.snapshot.v1.SnapshotService);
  const submission = { sbom: fs.readFileSync(env.STELLA_SBOM) };

  let reason = await refusal(unary(scans, 'SubmitScan', submission));
  check(reason === 'UNAUTHENTICATED', `refused for ${reason}`);

  const feed = await importFeed(snapshots);
  check(Number(feed.count) > 0, 'the snapshot is empty');
  const { scan } = await unary(scans, 'SubmitScan', submission, token);

  const { manifest } = await unary(scores, 'GetManifest', { scan_id: scan.scan_id });
  check(id(sha256(manifest)) === scan.manifest_hash, "the manifest's hash");
  check(JSON.parse(manifest).concelierSnapshotHash === feed.hash, "the manifest's feed");

  const again = { scan_id: scan.scan_id, use_original_snapshots: true };
  const replayed = await unary(scores, 'ReplayScore', again, token);
  check(replayed.verified_equal && replayed.replayed_root_hash === scan.root_hash, 'the replay');

  const sealed = await unary(proofs, 'GetProofRoot', { root_hash: scan.root_hash });
  const key = crypto.createPublicKey(fs.readFileSync(env.STELLA_SIGNING_KEY));
  const { predicate } = openEnvelope(sealed.envelope, key);
  check(predicate.rootHash === scan.root_hash, "the envelope's root");
  check(predicate.manifestHash === scan.manifest_hash, "the envelope's manifest");

  const computation = 'computation/' + scan.manifest_hash.replace('sha256:', '');
  const nodes = (await events(ledger.ReadStream({ stream: computation }))).map(
    (event) => decode('stella.ledger.v1.RuleApplied', event.payload).node);
  check(id(treeRoot(nodes.map(leafHash))) === scan.root_hash, "the nodes' root");
  const last = nodes[nodes.length - 1];
  const { node } = await unary(proofs, 'GetNode', { node_id: id(sha256(last)) });
  check(last.equals(node), 'the node by its id');

  const index = sealed.proof.leaf_index;
  const [event] = await events(ledger.ReadEvents({ from: index, limit: 1 }));
  const proof = await unary(ledger, 'GetInclusionProof', { leaf_index: index });
  const checkpoint = openCheckpoint(proof.checkpoint, env.STELLA_LOG_KEY);
  const included = (siblings) => {
    const root = pathRoot(leafHash(event.leaf), BigInt(index), checkpoint.size, siblings);
    check(root.equals(checkpoint.root), 'the audit path');
  };
  included(proof.hashes);
  const [first, ...rest] = proof.hashes;
  mustFail('a broken audit path', () => included([flipped(first, 3), ...rest]));
  mustFail('a short audit path', () => included(proof.hashes.slice(0, -1)));
  const base64 = (bytes) => bytes.toString('base64');
  const note = proof.checkpoint.toString().replace(base64(checkpoint.root), base64(flipped(checkpoint.root, 0)));
  mustFail('a broken checkpoint', () => openCheckpoint(Buffer.from(note), env.STELLA_LOG_KEY));
  const envelope = JSON.parse(sealed.envelope);
  envelope.payload = base64(flipped(Buffer.from(envelope.payload, 'base64'), 40));
  mustFail('a broken envelope', () => openEnvelope(JSON.stringify(envelope), key));

  reason = await refusal(unary(scans, 'GetScan', { scan_id: 'scan-00000000000000000000' }));
  check(reason === 'SCAN_NOT_FOUND', `refused for ${reason}`);
  console.log(JSON.stringify({ client: 'node', rootHash: scan.root_hash, nodes: nodes.length }));
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
