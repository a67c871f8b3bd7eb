"""One conversation with a server; tests/clients/README.md says what about."""

import base64
import hashlib
import json
import os
import pathlib

import grpc
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.rpc import error_details_pb2, status_pb2
from stella.ledger.v1 import event_pb2, ledger_pb2, ledger_pb2_grpc
from stella.proof.v1 import proof_pb2, proof_pb2_grpc
from stella.scan.v1 import scan_pb2, scan_pb2_grpc
from stella.score.v1 import score_pb2, score_pb2_grpc
from stella.snapshot.v1 import snapshot_pb2, snapshot_pb2_grpc


class Unverified(Exception):
    """Something does not verify."""


def check(holds, what):
    if not holds:
        raise Unverified(what)


def sha256(data):
    return hashlib.sha256(data).digest()


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def tree_root(hashes):
    """RFC 6962 2.1: the root over leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node_hash(tree_root(hashes[:split]), tree_root(hashes[split:]))


def path_root(leaf, index, size, path):
    """RFC 9162 2.1.3.2: the root that an audit path leads to."""
    check(index < size, "the leaf is beyond the tree")
    node, last, root = index, size - 1, leaf
    for sibling in path:
        check(last != 0, "the path is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    check(last == 0, "the path is too short")
    return root


def open_checkpoint(note, vkey):
    """C2SP signed-note and tlog-checkpoint: the size and root that the log's key signed."""
    name, _, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    check(key[0] == 1, "not an Ed25519 key")
    identity = sha256(name.encode() + b"\n" + key)[:4]
    text, _, signatures = note.rpartition(b"\n\n")
    text += b"\n"
    for line in signatures.decode().splitlines():
        _, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if signer == name and signature[:4] == identity:
            try:
                Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text)
            except InvalidSignature:
                raise Unverified("the checkpoint's signature") from None
            _, size, root = text.decode().splitlines()[:3]
            return int(size), base64.b64decode(root)
    raise Unverified("the log did not sign the checkpoint")


def open_envelope(envelope, key):
    """DSSE: the statement that the signing key signed."""
    envelope = json.loads(envelope)
    kind, body = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)
    for signature in envelope["signatures"]:
        try:
            key.verify(base64.b64decode(signature["sig"]), signed)
            return json.loads(body)
        except InvalidSignature:
            continue
    raise Unverified("nobody we trust signed the envelope")


def flipped(data, at):
    broken = bytearray(data)
    broken[at] ^= 1
    return bytes(broken)


def must_fail(what, attempt):
    try:
        attempt()
    except Unverified:
        return
    raise AssertionError(f"{what} was accepted")


def refusal(attempt):
    """The reason in the ErrorInfo of a refused call."""
    try:
        attempt()
    except grpc.RpcError as error:
        for key, value in error.trailing_metadata():
            if key == "grpc-status-details-bin":
                for detail in status_pb2.Status.FromString(value).details:
                    info = error_details_pb2.ErrorInfo()
                    if detail.Unpack(info) and info.domain == "stella":
                        return info.reason
        raise
    raise AssertionError("the call was not refused")


def main():
    env = os.environ
    channel = grpc.insecure_channel(env["STELLA_ADDRESS"])
    ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
    proofs = proof_pb2_grpc.ProofServiceStub(channel)
    scans = scan_pb2_grpc.ScanServiceStub(channel)
    scores = score_pb2_grpc.ScoreServiceStub(channel)
    snapshots = snapshot_pb2_grpc.SnapshotServiceStub(channel)
    token = [("authorization", "Bearer " + env["STELLA_TOKEN"])]
    submission = scan_pb2.SubmitScanRequest(sbom=pathlib.Path(env["STELLA_SBOM"]).read_bytes())

    reason = refusal(lambda: scans.SubmitScan(submission))
    check(reason == "UNAUTHENTICATED", f"refused for {reason}")

    def parts():
        header = snapshot_pb2.ImportHeader(kind=snapshot_pb2.SNAPSHOT_KIND_CONCELIER, publish=True)
        yield snapshot_pb2.ImportSnapshotRequest(header=header)
        for path in sorted(pathlib.Path(env["STELLA_FEED"]).iterdir()):
            file = snapshot_pb2.SourceFile(name=path.name)
            yield snapshot_pb2.ImportSnapshotRequest(file=file)
            yield snapshot_pb2.ImportSnapshotRequest(chunk=path.read_bytes())

    feed = snapshots.ImportSnapshot(parts(), metadata=token).snapshot
    check(feed.count > 0, "the snapshot is empty")
    scan = scans.SubmitScan(submission, metadata=token).scan

    manifest = scores.GetManifest(score_pb2.GetManifestRequest(scan_id=scan.scan_id))
    check("sha256:" + sha256(manifest.manifest).hex() == scan.manifest_hash, "the manifest's hash")
    check(json.loads(manifest.manifest)["concelierSnapshotHash"] == feed.hash, "the manifest's feed")

    again = score_pb2.ReplayScoreRequest(scan_id=scan.scan_id, use_original_snapshots=True)
    replayed = scores.ReplayScore(again, metadata=token)
    check(replayed.verified_equal and replayed.replayed_root_hash == scan.root_hash, "the replay")

    sealed = proofs.GetProofRoot(proof_pb2.GetProofRootRequest(root_hash=scan.root_hash))
    key = load_pem_public_key(pathlib.Path(env["STELLA_SIGNING_KEY"]).read_bytes())
    predicate = open_envelope(sealed.envelope, key)["predicate"]
    check(predicate["rootHash"] == scan.root_hash, "the envelope's root")
    check(predicate["manifestHash"] == scan.manifest_hash, "the envelope's manifest")

    computation = "computation/" + scan.manifest_hash.removeprefix("sha256:")
    nodes = []
    for answer in ledger.ReadStream(ledger_pb2.ReadStreamRequest(stream=computation)):
        for event in answer.events:
            nodes.append(event_pb2.RuleApplied.FromString(event.payload).node)
    root = tree_root([sha256(b"\x00" + node) for node in nodes])
    check("sha256:" + root.hex() == scan.root_hash, "the nodes' root")
    node_id = "sha256:" + sha256(nodes[-1]).hex()
    node = proofs.GetNode(proof_pb2.GetNodeRequest(node_id=node_id)).node
    check(node == nodes[-1], "the node by its id")

    index = sealed.proof.leaf_index
    request = ledger_pb2.ReadEventsRequest(**{"from": index, "limit": 1})
    [[event]] = [answer.events for answer in ledger.ReadEvents(request)]
    leaf = sha256(b"\x00" + event.leaf)
    proof = ledger.GetInclusionProof(ledger_pb2.GetInclusionProofRequest(leaf_index=index))
    path, note, vkey = list(proof.hashes), proof.checkpoint, env["STELLA_LOG_KEY"]
    size, head = open_checkpoint(note, vkey)

    def included(path):
        check(path_root(leaf, index, size, path) == head, "the audit path")

    included(path)
    must_fail("a broken audit path", lambda: included([flipped(path[0], 3), *path[1:]]))
    must_fail("a short audit path", lambda: included(path[:-1]))
    broken = note.replace(base64.b64encode(head), base64.b64encode(flipped(head, 0)))
    must_fail("a broken checkpoint", lambda: open_checkpoint(broken, vkey))
    envelope = json.loads(sealed.envelope)
    body = flipped(base64.b64decode(envelope["payload"]), 40)
    envelope["payload"] = base64.b64encode(body).decode()
    must_fail("a broken envelope", lambda: open_envelope(json.dumps(envelope), key))

    missing = scan_pb2.GetScanRequest(scan_id="scan-00000000000000000000")
    reason = refusal(lambda: scans.GetScan(missing))
    check(reason == "SCAN_NOT_FOUND", f"refused for {reason}")
    print(json.dumps({"client": "python", "rootHash": scan.root_hash, "nodes": len(nodes)}))


main()
